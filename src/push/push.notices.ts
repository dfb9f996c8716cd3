import { Injectable } from '@nestjs/common';
import { UNSEEN_SECONDS } from '../contract/push.js';
import type { OrderStatus } from '../contract/transitions.js';
import { Database, type Tx } from '../platform/database/database.js';
import { selectList } from '../platform/database/select.list.js';
import type { Receiver } from './push.messages.js';
import type { PushNotice } from './push.notice.entity.js';
import type { Situation } from './push.rules.js';

const COLUMNS = {
  subscriptionId: 'subscription_id',
  orderId: 'order_id',
  kind: 'kind',
  role: 'role',
  at: 'at',
  sent: 'sent',
  failures: 'failures',
  nextAt: 'next_at',
  epoch: 'epoch',
} satisfies Record<keyof PushNotice, string>;
const FIELDS = Object.keys(COLUMNS) as (keyof PushNotice)[];
const KEY = ['subscription_id', 'order_id', 'kind'];
const CHANGING = FIELDS.map((field) => COLUMNS[field]).filter((column) => !KEY.includes(column));
const SELECTED = selectList(COLUMNS, 'n');

/** A notice that is due, with all that decides about it and that its message says. */
export interface DueNotice extends PushNotice, Situation, Receiver {
  userId: string;
  number: number | null;
  status: OrderStatus;
  storeId: string;
  storeName: string | null;
}

/** Of a notice that is due: its user, if there still is one, and those who may hear of its order. */
interface Parties {
  userId: string | null;
  buyerId: string;
  sellerId: string;
  staffRights: string | null;
}

/** The stored notices, which hubs share: each change is made under a row's lock, from the state that it was decided on. */
@Injectable()
export class PushNotices {
  constructor(private readonly database: Database) {}

  /** Notices whose time has come, the oldest first. */
  async due(now: number, limit: number): Promise<DueNotice[]> {
    const rows: (DueNotice & Parties)[] = await this.database.read.query(
      `SELECT ${SELECTED}, s.user_id AS userId, s.endpoint AS endpoint, s.p256dh AS p256dh, s.auth AS auth,
          o.status AS status, o.seller_id AS sellerId, o.buyer_id AS buyerId, m.rights AS staffRights, o.number AS number, o.store_id AS storeId, t.name AS storeName,
          (SELECT MAX(p.seen_at) FROM push_presence p WHERE p.user_id = s.user_id) AS seenAt,
          (SELECT MAX(p.seen_at) FROM push_presence p WHERE p.user_id = s.user_id AND p.is_live = 1) AS liveAt
        FROM push_notices n LEFT JOIN push_subscriptions s ON s.subscription_id = n.subscription_id
          LEFT JOIN orders o ON o.order_id = n.order_id LEFT JOIN stores t ON t.store_id = o.store_id
          LEFT JOIN staff_members m ON m.owner_id = o.seller_id AND m.user_id = s.user_id AND n.role = 'seller'
        WHERE n.next_at <= ? ORDER BY n.next_at LIMIT ${limit}`,
      [now],
    );
    const orphans = rows.filter((row) => !isRecipient(row));
    if (orphans.length > 0) await this.change(orphans, () => undefined);
    return rows.filter(isRecipient);
  }

  /** When the next notice that was put off comes due, in epoch milliseconds; those that wait for a user to leave do at their latest time. */
  async nextDueAt(now: number): Promise<number | undefined> {
    const latest = `CASE WHEN n.kind = 'paid' AND n.sent + n.failures = 0 THEN n.at + ${UNSEEN_SECONDS * 1_000} ELSE n.next_at END`;
    const sql = `SELECT MIN(${latest}) AS nextAt FROM push_notices n WHERE ${latest} > ?`;
    const [row]: { nextAt: number | null }[] = await this.database.read.query(sql, [now]);
    return row?.nextAt == null ? undefined : Number(row.nextAt);
  }

  /**
   * Changes notices, or deletes them where `changeOf` returns nothing, in one transaction. Returns those that were changed: others
   * have been changed by another hub, or another client holds them.
   */
  async change<Notice extends PushNotice>(
    notices: readonly Notice[],
    changeOf: (notice: Notice) => PushNotice | undefined,
    deleted: readonly string[] = [],
  ): Promise<Notice[]> {
    if (notices.length === 0) return [];
    const { dialect } = this.database;
    return this.database.transaction(async (tx) => {
      const pairs = notices.map(({ subscriptionId, orderId }) => [subscriptionId, orderId] as const);
      const [where, parameters] = dialect.inCondition.pairs(['n.subscription_id', 'n.order_id'], pairs);
      const sql = `SELECT ${SELECTED} FROM push_notices n WHERE ${where}${dialect.forUpdateSkipLocked}`;
      const found: PushNotice[] = await tx.query(sql, parameters);
      const epochs = new Map(found.map((notice) => [keyOf(notice), Number(notice.epoch)]));
      const mine = notices.filter((notice) => epochs.get(keyOf(notice)) === Number(notice.epoch));
      const changed: PushNotice[] = [];
      for (const notice of mine) {
        const change = changeOf(notice);
        if (change) changed.push({ ...change, epoch: Number(notice.epoch) + 1 });
        else await deleteNotice(tx, notice);
      }
      if (changed.length > 0) await this.write(tx, changed);
      for (const subscriptionId of deleted) await deleteSubscription(tx, subscriptionId);
      return mine;
    });
  }

  /** Adds notices, in place of those for the same change of the same order. */
  async add(tx: Tx, notices: readonly PushNotice[]): Promise<void> {
    if (notices.length > 0) await this.write(tx, notices, true);
  }

  /** Deletes the notices of paid orders that someone of the shop has seen. */
  async endPaid(tx: Tx, subscriptionIds: readonly string[], orderIds: readonly string[]): Promise<void> {
    if (subscriptionIds.length === 0 || orderIds.length === 0) return;
    const { inCondition } = this.database.dialect;
    const [ofSubscriptions, subscriptions] = inCondition.values('subscription_id', subscriptionIds);
    const [ofOrders, orders] = inCondition.values('order_id', orderIds);
    const sql = `DELETE FROM push_notices WHERE ${ofSubscriptions} AND ${ofOrders} AND kind = 'paid'`;
    await tx.query(sql, [...subscriptions, ...orders]);
  }

  private async write(tx: Tx, notices: readonly PushNotice[], orInsert?: true): Promise<void> {
    const write = {
      table: 'push_notices',
      columns: FIELDS.map((field) => COLUMNS[field]),
      rows: notices.map((notice) => FIELDS.map((field) => notice[field])),
      change: { key: KEY, columns: CHANGING, ...(orInsert ? { orInsert } : {}) },
    };
    await tx.query(...this.database.dialect.write(write));
  }
}

/** Not of a subscription that is gone, and not of someone who has left the seller's staff. */
function isRecipient({ userId, role, buyerId, sellerId, staffRights }: Parties & Pick<PushNotice, 'role'>): boolean {
  if (userId === null) return false;
  return userId === (role === 'buyer' ? buyerId : sellerId) || hearsOrders(staffRights ?? '');
}

/** Whether a member of staff with these rights is notified of a seller's orders. */
export function hearsOrders(rights: string): boolean {
  return rights.split(' ').some((right) => right === 'read' || right === 'sell');
}

async function deleteNotice(tx: Tx, { subscriptionId, orderId, kind }: PushNotice): Promise<void> {
  const sql = 'DELETE FROM push_notices WHERE subscription_id = ? AND order_id = ? AND kind = ?';
  await tx.query(sql, [subscriptionId, orderId, kind]);
}

/** Deletes a subscription with all that it was yet to be sent. */
export async function deleteSubscription(tx: Tx, subscriptionId: string): Promise<void> {
  for (const table of ['push_notices', 'push_subscriptions']) {
    await tx.query(`DELETE FROM ${table} WHERE subscription_id = ?`, [subscriptionId]);
  }
}

export function keyOf({ subscriptionId, orderId, kind }: Pick<PushNotice, 'subscriptionId' | 'orderId' | 'kind'>) {
  return `${subscriptionId} ${orderId} ${kind}`;
}
