import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Role } from '../contract/transitions.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Leases } from '../platform/database/leases.js';
import { Logger } from '../platform/observability/logger.js';
import { Metrics } from '../platform/observability/metrics.js';
import { Poller } from '../platform/poller.js';
import { EventPublisher } from '../rooms/event.publisher.js';
import { roomKey } from '../rooms/rooms.service.js';
import { PushMessages } from './push.messages.js';
import type { PushNotice } from './push.notice.entity.js';
import { type DueNotice, keyOf, PushNotices } from './push.notices.js';
import { PushPresenceRecorder } from './push.presence.js';
import { type HeardRoom, PushRooms } from './push.rooms.js';
import { judge, type Outcome, outcomeOf, type PushAnswer, settle } from './push.rules.js';

const ROUND_INTERVAL_MS = 1_000;
/** Of a hub that died, until another sends in its place. */
const LEASE_MS = 5_000;
const LEASE = 'push messages';
const WALK_PAGE = 1_000;
const ROOMS_PER_ROUND = 100;
/** Encrypting a message takes half a millisecond, in which the hub does nothing else. */
const SENDS_PER_ROUND = 16;
const SENDS_MAX = 128;
/** A notice is claimed for longer than its request may take: then it is sent again, by any hub. */
const CLAIM_MS = 15_000;
/** Another notice of the same browser is under way. */
const BUSY_MS = 1_000;
const PURGE_INTERVAL_MS = 600_000;
/** At shutdown, for requests that are under way. */
const STOP_TIMEOUT_MS = 4_000;
const ANSWERED_CHECK_MS = 20;

interface Sending {
  notice: DueNotice;
  result?: { outcome: Outcome; answer: PushAnswer | null };
}

/**
 * Sends push messages, in rounds that never overlap. One hub at a time does, by a lease, so that hubs do not read the same rooms in
 * vain; were there two, each change of a cursor or a notice is made only from the state that it was decided on, so that a message is repeated
 * at worst, and the next one takes its place.
 */
@Injectable()
export class PushDispatcher implements OnApplicationBootstrap {
  private readonly poller: Poller;
  /** Rooms that may have something new. */
  private readonly waiting = new Map<string, { role: Role; userId: string }>();
  /** Rooms that someone with a subscription hears: what makes an event cost a look into a set. */
  private heard = new Set<string>();
  private readonly walk = { after: '', users: new Set<string>(), rooms: new Set<string>() };
  private readonly sendings = new Map<string, Sending>();
  private leaseEndsAt = 0;
  private purgeAt = 0;
  private isStopping = false;

  constructor(
    private readonly database: Database,
    private readonly leases: Leases,
    private readonly rooms: PushRooms,
    private readonly notices: PushNotices,
    private readonly messages: PushMessages,
    private readonly presence: PushPresenceRecorder,
    private readonly publisher: EventPublisher,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {
    this.poller = new Poller({
      intervalMs: ROUND_INTERVAL_MS,
      poll: () => this.round(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'push messages cannot be read or written now'),
    });
  }

  onApplicationBootstrap(): void {
    this.publisher.onCommitted((role, userId) => {
      if (this.heard.size === 0 || !this.heard.has(roomKey(role, userId))) return;
      this.waiting.set(roomKey(role, userId), { role, userId });
      this.poller.wake();
    });
    this.poller.start();
  }

  /** When the next notice comes due. */
  nextDueAt(): Promise<number | undefined> {
    return this.notices.nextDueAt(this.clock.now());
  }

  /** Pushes what is due, and resolves when the push services have answered, or after this time. */
  async pushDue(withinMs: number): Promise<void> {
    for (const endsAt = performance.now() + withinMs; performance.now() < endsAt; await sleep(ANSWERED_CHECK_MS)) {
      await this.presence.renew();
      await this.poller.pollNext();
      if (this.sendings.size + this.waiting.size > 0) continue;
      if ((await this.notices.due(this.clock.now(), 1)).length === 0) return;
    }
  }

  /** Sends nothing more, waits for what is under way, and gives the lease back. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.poller.stop();
    const endsAt = performance.now() + STOP_TIMEOUT_MS;
    const isBusy = () => [...this.sendings.values()].some(({ result }) => !result);
    while (isBusy() && performance.now() < endsAt) await sleep(ANSWERED_CHECK_MS);
    await this.storeResults().catch(() => {});
    await this.presence.stop();
    if (this.leaseEndsAt > 0) await this.leases.release(LEASE, 0).catch(() => {});
  }

  private async round(): Promise<void> {
    await this.walkOn();
    await this.storeResults();
    if (!this.presence.hasSubscribers || !(await this.isMyTurn())) return;
    await this.follow();
    await this.sendDue();
    if (performance.now() < this.purgeAt) return;
    await this.presence.purge();
    this.purgeAt = performance.now() + PURGE_INTERVAL_MS;
  }

  /** The embedded database, which one hub can use, needs no lease. */
  private async isMyTurn(): Promise<boolean> {
    if (this.database.dialect.singleWriter || performance.now() < this.leaseEndsAt - LEASE_MS / 2) return true;
    const endsAt = performance.now() + LEASE_MS;
    const isMine = await this.leases.acquire(LEASE, LEASE_MS);
    this.leaseEndsAt = isMine ? endsAt : 0;
    return isMine;
  }

  /** Finds subscriptions that were made or deleted at other hubs, and rooms whose wakeup was lost. */
  private async walkOn(): Promise<void> {
    const page = await this.rooms.walk(this.walk.after, WALK_PAGE);
    const userIds = page.map(({ userId }) => userId);
    for (const userId of userIds) {
      this.walk.users.add(userId);
      this.presence.add(userId);
    }
    for (const room of await this.rooms.heardBy(userIds)) {
      const key = roomKey(room.role, room.userId);
      this.walk.rooms.add(key);
      this.heard.add(key);
      if (room.position === null || room.position < room.head) this.waiting.set(key, room);
    }
    const isOver = page.length < WALK_PAGE;
    this.walk.after = isOver ? '' : (page.at(-1)?.subscriptionId ?? '');
    if (!isOver) return;
    this.presence.keep(this.walk.users);
    this.heard = this.walk.rooms;
    for (const key of this.waiting.keys()) if (!this.heard.has(key)) this.waiting.delete(key);
    this.walk.users = new Set();
    this.walk.rooms = new Set();
  }

  private async follow(): Promise<void> {
    const taken = [...this.waiting].slice(0, ROOMS_PER_ROUND);
    for (const [key] of taken) this.waiting.delete(key);
    const rooms: HeardRoom[] = await this.rooms.read(taken.map(([, room]) => room));
    for (const room of await this.rooms.follow(rooms, this.clock.now())) {
      this.waiting.set(roomKey(room.role, room.userId), room);
    }
    if (this.waiting.size > 0) this.poller.wake();
  }

  /** Judges the notices that are due, claims those to be pushed now, and pushes them. */
  private async sendDue(): Promise<void> {
    const room = Math.min(SENDS_PER_ROUND, SENDS_MAX - this.sendings.size);
    if (room <= 0 || this.isStopping) return;
    const now = this.clock.now();
    const due = await this.notices.due(now, room);
    const pushed = new Set<string>();
    const busy = new Set([...this.sendings.values()].map(({ notice }) => notice.subscriptionId));
    const changed = await this.notices.change(due, (notice) => {
      const decision = judge(stored(notice), notice, now);
      if (decision.do === 'end') return undefined;
      if (decision.do === 'wait') return { ...stored(notice), nextAt: decision.until };
      if (busy.has(notice.subscriptionId)) return { ...stored(notice), nextAt: now + BUSY_MS };
      busy.add(notice.subscriptionId);
      pushed.add(keyOf(notice));
      return { ...stored(notice), nextAt: now + CLAIM_MS };
    });
    for (const notice of changed) {
      if (pushed.has(keyOf(notice))) this.push({ ...notice, epoch: Number(notice.epoch) + 1 });
    }
    if (due.length === room) this.poller.wake();
  }

  private push(notice: DueNotice): void {
    const sending: Sending = { notice };
    this.sendings.set(keyOf(notice), sending);
    const { kind, role, orderId, number, status, storeId, storeName } = notice;
    const message = { kind, role, orderId, number, status, storeId, storeName };
    void this.messages
      .send(notice, message)
      .catch((error: unknown) => {
        this.logger.warn({ error: String(error) }, 'a push message cannot be made');
        return null;
      })
      .then((answer) => {
        const outcome = outcomeOf(answer);
        this.metrics.pushed(outcome);
        sending.result = { outcome, answer };
        this.poller.wake();
      });
  }

  private async storeResults(): Promise<void> {
    const ended = [...this.sendings.values()].filter(({ result }) => result !== undefined);
    const byKey = new Map(ended.map((sending) => [keyOf(sending.notice), sending]));
    const gone = ended.filter(({ result }) => result?.outcome === 'gone').map(({ notice }) => notice.subscriptionId);
    const now = this.clock.now();
    const changeOf = (notice: DueNotice) => {
      const { outcome = 'failed', answer = null } = byKey.get(keyOf(notice))?.result ?? {};
      return settle(stored(notice), outcome, answer, now);
    };
    await this.notices.change(
      ended.map(({ notice }) => notice),
      changeOf,
      gone,
    );
    for (const key of byKey.keys()) this.sendings.delete(key);
  }
}

/** The row itself, without what was read with it. */
function stored(notice: DueNotice): PushNotice {
  const { subscriptionId, orderId, kind, role, at, sent, failures, nextAt, epoch } = notice;
  return { subscriptionId, orderId, kind, role, at, sent, failures, nextAt, epoch };
}
