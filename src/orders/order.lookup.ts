import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { idAt, type OrderSearchRequest, type Terms, termsOf } from './order.filters.js';
import type { Meanings } from './order.matcher.js';

/** Ids whose ends are compared at once, from an index that has nothing else: a few milliseconds. */
const IDS_AT_ONCE = 25_000;
/** What the ids of a step count as read. */
const STEP_BYTES = 131_072;
/** Orders that are compared on either side of a number’s expected position: those placed at the same moment may be out of order. */
const NEIGHBOURS = 500;
/** The latest time that an id can tell. */
const LATEST_MS = 2 ** 48 - 1;
/** More orders than one tracking number has. */
const SAME_MAX = 1_000;

/**
 * Finds a seller's orders by what an index has: their buyer, their tracking number, and their ids, among which the number says where
 * to look. An index of numbers or ends of ids of its own would cost every `place` a tenth more.
 */
@Injectable()
export class OrderLookup {
  constructor(
    private readonly database: Database,
    private readonly reads: ReadLimiter,
  ) {}

  /** At least the newest ones, one more than the limit. */
  async find(readKey: string, meanings: Meanings, request: OrderSearchRequest): Promise<string[]> {
    const filter = termsOf(request, this.database.dialect, 'filter');
    const { userId, limit } = request;
    const found = await Promise.all([
      this.byNumber(meanings, userId, filter),
      this.byIdEnd(readKey, meanings, request, filter),
      this.byTrackingNo(meanings, filter),
      this.byBuyer(meanings, filter, limit + 1),
    ]);
    return found.flat();
  }

  private byTrackingNo({ text }: Meanings, { where, values }: Terms): Promise<string[]> {
    const sql = `SELECT order_id AS orderId FROM orders WHERE tracking_no = ? AND ${where} LIMIT ${SAME_MAX}`;
    return this.read(sql, [text, ...values]);
  }

  private byBuyer({ text }: Meanings, { where, values }: Terms, limit: number): Promise<string[]> {
    const sql = `SELECT order_id AS orderId FROM orders WHERE buyer_id = ? AND ${where} ORDER BY order_id DESC LIMIT ${limit}`;
    return this.read(sql, [text, ...values]);
  }

  /** By halving the time in which it was placed: numbers rise with the ids. */
  private async byNumber({ number }: Meanings, userId: string, filter: Terms): Promise<string[]> {
    if (number === undefined) return [];
    const first = 'SELECT number FROM orders WHERE seller_id = ? AND order_id >= ? ORDER BY order_id LIMIT 1';
    let [before, after] = [0, LATEST_MS];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      const [order]: { number: number | null }[] = await this.database.read.query(first, [userId, idAt(middle)]);
      if (order && (order.number === null || order.number < number)) before = middle;
      else after = middle;
    }
    const near = (
      [
        ['>=', ''],
        ['<', ' DESC'],
      ] as const
    ).map(
      ([side, order]) =>
        `SELECT order_id FROM (SELECT order_id, number FROM orders WHERE seller_id = ? AND order_id ${side} ? ORDER BY order_id${order} LIMIT ${NEIGHBOURS}) n${order.length} WHERE number = ?`,
    );
    const at = [userId, idAt(before), number];
    const sql = `SELECT order_id AS orderId FROM orders WHERE order_id IN (${near.join(' UNION ALL ')}) AND ${filter.where}`;
    return this.read(sql, [...at, ...at, ...filter.values]);
  }

  /** The newest first, until there are enough. */
  private async byIdEnd(
    readKey: string,
    { idEnd }: Meanings,
    { userId, limit, after = AFTER_ALL }: OrderSearchRequest,
    filter: Terms,
  ): Promise<string[]> {
    if (idEnd === undefined) return [];
    const ids = `(SELECT order_id FROM orders WHERE seller_id = ? AND order_id < ? ORDER BY order_id DESC LIMIT ${IDS_AT_ONCE}) i`;
    const found: string[] = [];
    for (let before: string | null = after; before !== null && found.length <= limit; ) {
      await this.reads.spend(readKey, STEP_BYTES);
      const matches = await this.read(`SELECT order_id AS orderId FROM ${ids} WHERE order_id LIKE ?`, [
        ...[userId, before, `%${idEnd}`],
      ]);
      if (matches.length > 0) found.push(...(await this.among(matches, filter)));
      const sql = `SELECT MIN(order_id) AS oldest FROM ${ids}`;
      const [row]: { oldest: string | null }[] = await this.database.read.query(sql, [userId, before]);
      before = row?.oldest ?? null;
      await setImmediate();
    }
    return found;
  }

  private among(orderIds: string[], { where, values }: Terms): Promise<string[]> {
    const [condition, ids] = this.database.dialect.inCondition.values('order_id', orderIds);
    return this.read(`SELECT order_id AS orderId FROM orders WHERE ${condition} AND ${where}`, [...ids, ...values]);
  }

  private async read(sql: string, values: unknown[]): Promise<string[]> {
    const rows: { orderId: string }[] = await this.database.read.query(sql, values);
    return rows.map(({ orderId }) => orderId);
  }
}

/** Sorts after every id. */
const AFTER_ALL = '~';
