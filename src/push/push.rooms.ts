import { Injectable } from '@nestjs/common';
import type { OrderStatusPush } from '../contract/rooms.js';
import { type Role, roles } from '../contract/transitions.js';
import { Database } from '../platform/database/database.js';
import { RoomsService, roomKey } from '../rooms/rooms.service.js';
import type { PushNotice } from './push.notice.entity.js';
import { hearsOrders, keyOf, PushNotices } from './push.notices.js';
import { isSeenWith, NOTICE_KEPT_MS, noticeOf } from './push.rules.js';

/** Events of a room that are read at a time. */
const EVENTS_PER_READ = 100;
/** A room whose next events cannot be found for longer has lost them. */
const LOST_AFTER_MS = 30_000;
/** Between two hubs. */
const CLOCK_SKEW_MS = 1_000;
/** A newer notice in place of one whose request is under way must not have the same epoch. */
const EPOCHS_PER_MS = 1_000;

/** A room that someone with a subscription hears, with its head and how far it is read. */
export interface HeardRoom {
  role: Role;
  userId: string;
  head: number;
  /** Null before the first reading. */
  position: number | null;
}

export interface Subscriber {
  subscriptionId: string;
  userId: string;
}

/** What events make of notices. */
interface News {
  notices: PushNotice[];
  /** Paid orders that someone of the shop has seen. */
  seenOrders: string[];
  subscriptionIds: string[];
}

interface Recipient extends Subscriber {
  roomUserId: string;
  /** Of the staff, which hears the seller's room only. */
  isMember: boolean;
  subscribedAt: number;
}

/**
 * Reads the rooms of those who are subscribed, and turns their events into notices. A cursor moves in the transaction that stores the
 * notices, from where the reading began: an event is never skipped, and a hub that died is followed by another.
 */
@Injectable()
export class PushRooms {
  /** Since when the next events of a room cannot be found. */
  private readonly withoutEvents = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly rooms: RoomsService,
    private readonly notices: PushNotices,
  ) {}

  /** The next subscriptions of a walk through all of them. */
  walk(after: string, limit: number): Promise<Subscriber[]> {
    const sql = `SELECT subscription_id AS subscriptionId, user_id AS userId FROM push_subscriptions
      WHERE subscription_id > ? ORDER BY subscription_id LIMIT ${limit}`;
    return this.database.read.query(sql, [after]);
  }

  /** The rooms that these users hear. */
  async heardBy(userIds: readonly string[]): Promise<HeardRoom[]> {
    if (userIds.length === 0) return [];
    const { inCondition } = this.database.dialect;
    const [ofMembers, members] = inCondition.values('user_id', [...new Set(userIds)]);
    const sql = `SELECT DISTINCT owner_id AS ownerId FROM staff_members WHERE ${ofMembers}`;
    const sellers: { ownerId: string }[] = await this.database.read.query(sql, members);
    const all = new Set([...userIds, ...sellers.map(({ ownerId }) => ownerId)]);
    const [where, parameters] = inCondition.values('r.user_id', [...all]);
    return this.find(`r.role IN (${roles.map((role) => `'${role}'`).join(', ')}) AND ${where}`, parameters);
  }

  /** Those of these rooms, as they are now. */
  async read(rooms: readonly { role: Role; userId: string }[]): Promise<HeardRoom[]> {
    if (rooms.length === 0) return [];
    const pairs = rooms.map(({ role, userId }) => [role, userId] as const);
    return this.find(...this.database.dialect.inCondition.pairs(['r.role', 'r.user_id'], pairs));
  }

  /** Makes notices of the next events of these rooms, and returns the rooms that have more. */
  async follow(rooms: readonly HeardRoom[], now: number): Promise<HeardRoom[]> {
    const behind = rooms.filter(({ head, position }) => position === null || position < head);
    const started = behind.filter((room): room is HeardRoom & { position: number } => room.position !== null);
    const readers = started.map(({ role, userId, position }) => ({ role, userId, after: position }));
    const found = await this.rooms.eventsAfterEach(readers, EVENTS_PER_READ);
    const moves: { room: HeardRoom; to: number }[] = behind
      .filter(({ position }) => position === null)
      .map((room) => ({ room, to: room.head }));
    const events: OrderStatusPush[] = [];
    for (const [index, room] of started.entries()) {
      const next = await this.afterGap(room, found[index] ?? []);
      events.push(...next);
      const to = next.at(-1)?.seq ?? this.headIfLost(room);
      if (to > room.position) moves.push({ room, to });
    }
    await this.store(moves, await this.newsOf(events, now));
    return moves.filter(({ room, to }) => to < room.head).map(({ room, to }) => ({ ...room, position: to }));
  }

  private find(where: string, parameters: unknown[]): Promise<HeardRoom[]> {
    const sql = `SELECT r.role AS role, r.user_id AS userId, r.head AS head, c.position AS position FROM rooms r
      LEFT JOIN push_cursors c ON c.role = r.role AND c.user_id = r.user_id WHERE ${where}`;
    return this.database.read.query(sql, parameters);
  }

  /** Where the next events are past their keeping time, those that are there. */
  private async afterGap({ role, userId, position }: HeardRoom, events: OrderStatusPush[]): Promise<OrderStatusPush[]> {
    if (events.length > 0) return events;
    return this.rooms.eventsAfter(role, userId, position ?? 0, EVENTS_PER_READ);
  }

  /** A node of a cluster may show a head before its events. */
  private headIfLost({ role, userId, head, position }: HeardRoom): number {
    const key = roomKey(role, userId);
    const since = this.withoutEvents.get(key) ?? performance.now();
    this.withoutEvents.set(key, since);
    if (performance.now() - since < LOST_AFTER_MS) return position ?? 0;
    this.withoutEvents.delete(key);
    return head;
  }

  private async newsOf(events: readonly OrderStatusPush[], now: number): Promise<News> {
    const current = events.filter(({ at }) => now - Date.parse(at) < NOTICE_KEPT_MS);
    const news = current.filter((event) => noticeOf(event) !== undefined || isSeenWith(event));
    const recipients = await this.recipientsOf(news);
    const notices = new Map<string, PushNotice>();
    const seen = new Set<string>();
    for (const event of news) {
      const { orderId, role } = event;
      const [kind, at] = [noticeOf(event), Date.parse(event.at)];
      if (isSeenWith(event)) seen.add(orderId);
      for (const { roomUserId, userId, isMember, subscriptionId, subscribedAt } of recipients) {
        if (roomUserId !== userOf(event) || (isMember && role === 'buyer')) continue;
        if (isSeenWith(event)) notices.delete(keyOf({ subscriptionId, orderId, kind: 'paid' }));
        if (!kind || userId === event.by || Number(subscribedAt) > at + CLOCK_SKEW_MS) continue;
        const notice = { subscriptionId, orderId, kind, role, at, sent: 0, failures: 0, nextAt: now };
        // Of several notes, the last.
        notices.set(keyOf(notice), { ...notice, epoch: at * EPOCHS_PER_MS });
      }
    }
    return {
      notices: [...notices.values()],
      seenOrders: [...seen],
      subscriptionIds: recipients.map(({ subscriptionId }) => subscriptionId),
    };
  }

  /** The subscriptions of those who hear the rooms of these events: a seller's staff hears what the seller hears. */
  private async recipientsOf(events: readonly OrderStatusPush[]): Promise<Recipient[]> {
    const userIds = [...new Set(events.map(userOf))];
    if (userIds.length === 0) return [];
    const { inCondition } = this.database.dialect;
    const selected = 'SELECT s.subscription_id AS subscriptionId, s.user_id AS userId, s.subscribed_at AS subscribedAt';
    const [ofUsers, users] = inCondition.values('s.user_id', userIds);
    const [ofSellers, sellers] = inCondition.values('m.owner_id', userIds);
    const staff = 'FROM staff_members m JOIN push_subscriptions s ON s.user_id = m.user_id';
    const [own, members]: [Recipient[], (Recipient & { rights: string })[]] = await Promise.all([
      this.database.read.query(
        `${selected}, s.user_id AS roomUserId FROM push_subscriptions s WHERE ${ofUsers}`,
        users,
      ),
      this.database.read.query(
        `${selected}, m.owner_id AS roomUserId, m.rights AS rights ${staff} WHERE ${ofSellers}`,
        sellers,
      ),
    ]);
    const reading = members.filter(({ rights }) => hearsOrders(rights));
    return [
      ...own.map((recipient) => ({ ...recipient, isMember: false })),
      ...reading.map((recipient) => ({ ...recipient, isMember: true })),
    ];
  }

  private async store(moves: readonly { room: HeardRoom; to: number }[], news: News): Promise<void> {
    if (moves.length === 0) return;
    const { dialect } = this.database;
    const pairs = moves.map(({ room }) => [room.role, room.userId] as const);
    const [where, parameters] = dialect.inCondition.pairs(['role', 'user_id'], pairs);
    const sql = `SELECT role, user_id AS userId, position FROM push_cursors WHERE ${where}${dialect.forUpdate}`;
    await this.database.transaction(
      async (tx) => {
        const found: { role: Role; userId: string; position: number }[] = await tx.query(sql, parameters);
        const positions = new Map(found.map(({ role, userId, position }) => [roomKey(role, userId), Number(position)]));
        const isCurrent = ({ role, userId, position }: HeardRoom) =>
          (positions.get(roomKey(role, userId)) ?? null) === (position === null ? null : Number(position));
        // Another hub was faster: what it has stored must not be stored twice.
        if (!moves.every(({ room }) => isCurrent(room))) return;
        const columns = ['role', 'user_id', 'position'];
        const rows = moves.map(({ room, to }) => [room.role, room.userId, to]);
        const change = { key: ['role', 'user_id'], columns: ['position'], orInsert: true as const };
        await tx.query(...dialect.write({ table: 'push_cursors', columns, rows, change }));
        await this.notices.endPaid(tx, news.subscriptionIds, news.seenOrders);
        await this.notices.add(tx, news.notices);
      },
      { retry: (error) => dialect.isDuplicate(error) },
    );
    for (const { room } of moves) this.withoutEvents.delete(roomKey(room.role, room.userId));
  }
}

function userOf({ role, buyerId, sellerId }: OrderStatusPush): string {
  return role === 'buyer' ? buyerId : sellerId;
}
