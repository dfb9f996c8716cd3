import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { split } from '../platform/database/page.reader.js';
import { selectList } from '../platform/database/select.list.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { BooksService } from '../stores/books.service.js';
import { type OrderSearchRequest, termsOf } from './order.filters.js';
import { OrderLookup } from './order.lookup.js';
import { isMeant, type Meanings, meaningsOf, type Searched, searchedColumns } from './order.matcher.js';

/** Orders that one request compares at most: all of most users, and enough to find a common title. */
export const COMPARED_ORDERS_MAX = 2_000;
/** Orders, and bytes of their items, that are compared at once: a few milliseconds. */
const STEP_ORDERS = 500;
const STEP_BYTES_MAX = 1_048_576;
/** How many bytes are compared in the time in which one is read and sent. */
const COMPARED_BYTES_PER_BYTE_READ = 4;

/** The newest orders that match, one more than a page has if there are more; else `more` is where to go on. */
interface Matches {
  orderIds: string[];
  more?: string | undefined;
}

const columns = selectList(searchedColumns);

/**
 * Finds orders by what people know of them. Those of most users are compared, the newest first. A seller with many orders finds them
 * by indexes, and compares only if one of its books has such a title; a page then ends where it has compared enough.
 */
@Injectable()
export class OrderSearch {
  constructor(
    private readonly database: Database,
    private readonly rooms: RoomsService,
    private readonly reads: ReadLimiter,
    private readonly books: BooksService,
    private readonly lookup: OrderLookup,
  ) {}

  async find(readKey: string, q: string, request: OrderSearchRequest): Promise<Matches> {
    const meanings = meaningsOf(q);
    const { userId, role } = request;
    const counts = await this.rooms.counts(role, userId);
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    if (role === 'buyer' || total <= COMPARED_ORDERS_MAX) return this.compare(readKey, meanings, request);

    const [lookedUp, hasTitle] = await Promise.all([
      this.lookup.find(readKey, meanings, request),
      this.books.hasTitle(readKey, userId, q),
    ]);
    const compared = hasTitle ? await this.compare(readKey, meanings, request) : { orderIds: [] };
    // What the indexes find beyond the compared orders may have others before it: a later page has both.
    const { more } = compared;
    const found = new Set([...compared.orderIds, ...lookedUp.filter((id) => more === undefined || id >= more)]);
    return { orderIds: [...found].sort().reverse(), more };
  }

  private async compare(readKey: string, meanings: Meanings, request: OrderSearchRequest): Promise<Matches> {
    const orderIds: string[] = [];
    let { after } = request;
    for (let compared = 0; compared < COMPARED_ORDERS_MAX; compared += STEP_ORDERS) {
      const { where, values } = termsOf({ ...request, after }, this.database.dialect);
      const sql = `SELECT order_id AS orderId, OCTET_LENGTH(items) AS bytes FROM orders WHERE ${where}
        ORDER BY order_id DESC LIMIT ${STEP_ORDERS}`;
      const rows: { orderId: string; bytes: number }[] = await this.database.read.query(sql, values);
      const measured = rows.map(({ orderId, bytes }) => ({ key: orderId, bytes }));
      for (const some of split(measured, STEP_BYTES_MAX)) {
        const bytes = some.reduce((sum, row) => sum + row.bytes, 0);
        await this.reads.spend(readKey, bytes / COMPARED_BYTES_PER_BYTE_READ);
        const found = await this.compareThese(
          some.map(({ key }) => key),
          meanings,
          request.userId,
        );
        orderIds.push(...found);
        if (orderIds.length > request.limit) return { orderIds };
        await setImmediate();
      }
      if (rows.length < STEP_ORDERS) return { orderIds };
      after = rows.at(-1)?.orderId;
    }
    return { orderIds, more: after };
  }

  private async compareThese(orderIds: string[], meanings: Meanings, userId: string): Promise<string[]> {
    const [condition, values] = this.database.dialect.inCondition.values('order_id', orderIds);
    const sql = `SELECT ${columns} FROM orders WHERE ${condition} ORDER BY order_id DESC`;
    const rows: Searched[] = await this.database.read.query(sql, values);
    return rows.filter((row) => isMeant(meanings, row, userId)).map(({ orderId }) => orderId);
  }
}
