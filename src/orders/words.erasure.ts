import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { closedStatuses } from '../contract/transitions.js';
import { Database, type Tx } from '../platform/database/database.js';
import { DELETE_PAUSE_MS } from '../platform/database/delete.in.batches.js';

/** Orders that one transaction erases the words of, or one statement looks at. */
const PAGE = 500;
const tables = ['order_addresses', 'order_notes'] as const;
const CLOSED = `o.status IN (${closedStatuses.map((status) => `'${status}'`).join(', ')})`;
const HAS_WORDS = tables.map((table) => `EXISTS (SELECT 1 FROM ${table} w WHERE w.order_id = o.order_id)`).join(' OR ');
const NEVER = () => false;

interface Found {
  orderId: string;
  endedAt?: number | null;
}
type Find = (after: string) => Promise<Found[]>;
interface Erasing {
  /** By default, all that were found. */
  isDue?: (found: Found) => boolean;
  isStopped?: () => boolean;
  /** At whose word: users take turns at the database. */
  userId?: string;
}
type Erase = (tx: Tx, where: string, parameters: readonly unknown[]) => Promise<unknown>;

/** Erases what people wrote into orders that have ended: it stands in rows of its own, so that erasing is deleting. */
@Injectable()
export class WordsErasure {
  constructor(private readonly database: Database) {}

  /** The words of the orders that this user bought, and the user's own in those that the user sold. */
  async eraseOf(userId: string): Promise<void> {
    const { read } = this.database;
    const bought = `SELECT o.order_id AS orderId FROM orders o WHERE o.buyer_id = ? AND o.order_id > ? AND ${CLOSED} AND (${HAS_WORDS})
      ORDER BY o.order_id LIMIT ?`;
    const sold = `SELECT DISTINCT n.order_id AS orderId FROM order_notes n JOIN orders o ON o.order_id = n.order_id
      WHERE n.user_id = ? AND n.order_id > ? AND ${CLOSED} ORDER BY n.order_id LIMIT ?`;
    const eraseOwn: Erase = (tx, where, ids) =>
      tx.query(`DELETE FROM order_notes WHERE ${where} AND user_id = ?`, [...ids, userId]);
    await this.erase((after) => read.query(bought, [userId, after, PAGE]), eraseAll, { userId });
    await this.erase((after) => read.query(sold, [userId, after, PAGE]), eraseOwn, { userId });
  }

  /** All words of the orders that ended before this time, in epoch milliseconds. Returns how many orders. */
  async eraseEndedBefore(before: number, isStopped: () => boolean): Promise<number> {
    let erased = 0;
    for (const table of tables) {
      // Those that were placed late enough cannot have ended before.
      const page = `SELECT DISTINCT order_id FROM ${table} WHERE order_id > ? AND order_id < ? ORDER BY order_id LIMIT ?`;
      const sql = `SELECT w.order_id AS orderId, COALESCE(o.received_at, o.cancelled_at) AS endedAt
        FROM (${page}) w LEFT JOIN orders o ON o.order_id = w.order_id ORDER BY w.order_id`;
      const find: Find = (after) => this.database.read.query(sql, [after, orderIdAt(before), PAGE]);
      const isDue = ({ endedAt }: Found) => typeof endedAt === 'number' && endedAt < before;
      erased += await this.erase(find, eraseAll, { isDue, isStopped });
    }
    return erased;
  }

  /** Erases page by page, with pauses. Returns of how many orders. */
  private async erase(find: Find, erase: Erase, { isDue, isStopped = NEVER, userId }: Erasing): Promise<number> {
    let erased = 0;
    for (let after = ''; !isStopped(); ) {
      const page = await find(after);
      const orderIds = page.filter((found) => isDue?.(found) ?? true).map(({ orderId }) => orderId);
      if (orderIds.length > 0) {
        const [where, parameters] = this.database.dialect.inCondition.values('order_id', orderIds);
        await this.database.transaction((tx) => erase(tx, where, parameters), { userId });
        erased += orderIds.length;
      }
      const last = page.at(-1);
      if (!last || page.length < PAGE) break;
      after = last.orderId;
      await sleep(DELETE_PAUSE_MS);
    }
    return erased;
  }
}

const eraseAll: Erase = async (tx, where, parameters) => {
  for (const table of tables) await tx.query(`DELETE FROM ${table} WHERE ${where}`, [...parameters]);
};

/** Where the ids of orders begin that are placed at this time: a UUIDv7 begins with it. */
function orderIdAt(epochMs: number): string {
  const digits = Math.max(0, epochMs).toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}
