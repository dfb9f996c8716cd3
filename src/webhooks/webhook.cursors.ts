import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { selectList } from '../platform/database/select.list.js';
import type { Webhook } from './webhook.entity.js';
import type { WebhookChange } from './webhook.rules.js';

/** The columns, those that deliveries change last. */
const COLUMNS = {
  webhookId: 'webhook_id',
  userId: 'user_id',
  role: 'role',
  url: 'url',
  secret: 'secret',
  createdAt: 'created_at',
  epoch: 'epoch',
  paused: 'paused',
  delivered: 'delivered',
  complete: 'complete',
  attempts: 'attempts',
  nextAt: 'next_at',
  failingSince: 'failing_since',
  lastStatus: 'last_status',
  holder: 'holder',
  leasedUntil: 'leased_until',
} satisfies Record<keyof Webhook, string>;
const FIELDS = Object.keys(COLUMNS) as (keyof Webhook)[];
const CHANGING = FIELDS.slice(FIELDS.indexOf('paused')).map((field) => COLUMNS[field]);
const SELECTED = selectList(COLUMNS, 'w');
const JOINED = 'FROM webhooks w JOIN rooms r ON r.role = w.role AND r.user_id = w.user_id';
const WATCHED = `SELECT ${SELECTED}, r.head AS head ${JOINED}`;

/** A webhook, and the head of its room. */
export interface WatchedWebhook extends Webhook {
  head: number;
}

export interface WalkedWebhook extends Pick<Webhook, 'webhookId' | 'role' | 'userId'> {
  isDue: 0 | 1;
}

/** The stored webhooks as their deliverer needs them: many in one statement. */
@Injectable()
export class WebhookCursors {
  constructor(private readonly database: Database) {}

  /** The next webhooks of a walk through all of them, and whether a request of each may begin. */
  walk(after: string, limit: number, now: number): Promise<WalkedWebhook[]> {
    const isDue = 'CASE WHEN w.delivered < r.head AND w.paused = 0 AND w.next_at <= ? THEN 1 ELSE 0 END';
    const sql = `SELECT w.webhook_id AS webhookId, w.role AS role, w.user_id AS userId, ${isDue} AS isDue ${JOINED}
      WHERE w.webhook_id > ? ORDER BY w.webhook_id LIMIT ${limit}`;
    return this.database.read.query(sql, [now, after]);
  }

  /** When the next request that was put off may begin, in epoch milliseconds. */
  async nextDueAt(now: number): Promise<number | undefined> {
    const sql = `SELECT MIN(w.next_at) AS nextAt ${JOINED} WHERE w.delivered < r.head AND w.paused = 0 AND w.next_at > ?`;
    const [row]: { nextAt: number | null }[] = await this.database.read.query(sql, [now]);
    return row?.nextAt == null ? undefined : Number(row.nextAt);
  }

  find(webhookIds: readonly string[]): Promise<WatchedWebhook[]> {
    if (webhookIds.length === 0) return Promise.resolve([]);
    const [where, parameters] = this.database.dialect.inCondition.values('w.webhook_id', webhookIds);
    return this.database.read.query(`${WATCHED} WHERE ${where}`, parameters);
  }

  /** A user's webhooks, newest first. */
  ofUser(userId: string, before: string | undefined, limit: number): Promise<WatchedWebhook[]> {
    const [where, parameters] = before === undefined ? ['', []] : [' AND w.webhook_id < ?', [before]];
    const sql = `${WATCHED} WHERE w.user_id = ?${where} ORDER BY w.webhook_id DESC LIMIT ${limit}`;
    return this.database.read.query(sql, [userId, ...parameters]);
  }

  /**
   * Changes webhooks under their locks, in one transaction, and returns them as they are then. Those that another client holds are
   * left out: they must not keep the others.
   */
  async change(webhookIds: readonly string[], changeOf: (webhook: Webhook) => WebhookChange): Promise<Webhook[]> {
    const { dialect } = this.database;
    const [where, parameters] = dialect.inCondition.values('w.webhook_id', webhookIds);
    const sql = `SELECT ${SELECTED} FROM webhooks w WHERE ${where}${dialect.forUpdateSkipLocked}`;
    return this.database.transaction(async (tx) => {
      const found: Webhook[] = await tx.query(sql, parameters);
      const changes = found.map((webhook) => ({ webhook, change: changeOf(webhook) }));
      const after = changes.map(({ webhook, change }) => ({ ...webhook, ...change }));
      const changed = after.filter((_, index) => Object.keys(changes[index]?.change ?? {}).length > 0);
      if (changed.length > 0) {
        const write = {
          table: 'webhooks',
          columns: FIELDS.map((field) => COLUMNS[field]),
          rows: changed.map((webhook) => FIELDS.map((field) => webhook[field])),
          change: { key: ['webhook_id'], columns: CHANGING },
        };
        await tx.query(...dialect.write(write));
      }
      return after;
    });
  }
}
