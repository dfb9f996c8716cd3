import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import type { OrderItem } from '../commands/rows.js';
import { isoTime, type Page } from '../contract/fields.js';
import { type OrderExportRequest, orderLineColumns } from '../contract/finding.js';
import type { Order } from '../contract/orders.js';
import { accountOf, type Caller, requireSide } from '../platform/caller.js';
import { Database } from '../platform/database/database.js';
import { PageReader } from '../platform/database/page.reader.js';
import { selectList } from '../platform/database/select.list.js';
import { ExportStream } from '../platform/http/export.stream.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { type Terms, termsOf } from './order.filters.js';

/** Orders read at once, as long as they are small. */
const PAGE = 500;

type Newest = { newest: string | null };
type Filters = Omit<OrderExportRequest, 'format'>;
type Line = Omit<Order, 'version' | 'items' | 'expiresAt' | 'shipBy' | 'allowed' | 'seenAt' | 'claim'> & {
  line: number;
} & Pick<OrderItem, 'bookId' | 'title' | 'count' | 'price'>;

const columns = {
  ...{ orderId: 'order_id', number: 'number', storeId: 'store_id', buyerId: 'buyer_id', sellerId: 'seller_id' },
  ...{ status: 'status', items: 'items', total: 'total', placedAt: 'placed_at', paidAt: 'paid_at' },
  ...{ shippedAt: 'shipped_at', receivedAt: 'received_at', cancelledAt: 'cancelled_at' },
  ...{ carrier: 'carrier', trackingNo: 'tracking_no', cancelReason: 'cancel_reason' },
};
type Times = Record<'paidAt' | 'shippedAt' | 'receivedAt' | 'cancelledAt', number | null>;
type Stored = Omit<Line, 'line' | keyof OrderItem | keyof Times | 'placedAt'> &
  Times & { placedAt: number; items: string };

/** The lines of all orders of a user, as a table. */
@Injectable()
export class OrderLineExport {
  constructor(
    private readonly database: Database,
    private readonly pages: PageReader,
    private readonly reads: ReadLimiter,
    private readonly exports: ExportStream,
  ) {}

  /** Throws `OVERLOADED`. */
  send(caller: Caller, { format = 'csv', ...filters }: OrderExportRequest, response: Response): void {
    requireSide(caller, filters.role);
    this.exports.sendTable<Line>(
      caller,
      response,
      { name: 'orders', format, columns: orderLineColumns },
      this.lines(caller, filters),
    );
  }

  /** Oldest first, and only of orders that exist when it begins. */
  private async *lines(caller: Caller, filters: Filters): AsyncGenerator<readonly Line[]> {
    const terms = termsOf({ ...filters, userId: accountOf(caller) }, this.database.dialect);
    const sql = `SELECT MAX(order_id) AS newest FROM orders WHERE ${terms.where}`;
    const [{ newest } = { newest: null }]: Newest[] = await this.database.read.query(sql, terms.values);
    for (let after: string | null = newest === null ? null : ''; after !== null; ) {
      const from = after;
      const page: Page<readonly Line[]> = await this.reads.paced(caller, () => this.page(caller, terms, from, newest));
      yield page.items.flat();
      after = page.next;
    }
  }

  private async page(
    { readKey }: Caller,
    { where, values }: Terms,
    after: string,
    newest: string | null,
  ): Promise<Page<readonly Line[]>> {
    const sql = `SELECT order_id AS orderId, OCTET_LENGTH(items) AS bytes FROM orders
      WHERE ${where} AND order_id > ? AND order_id <= ? ORDER BY order_id LIMIT ?`;
    const found: { orderId: string; bytes: number }[] = await this.database.read.query(sql, [
      ...values,
      ...[after, newest, PAGE + 1],
    ]);
    const rows = found.map(({ orderId, bytes }) => ({ key: orderId, bytes }));
    const read = (orderIds: string[]) => this.read(orderIds);
    return this.pages.read({ readKey, rows, limit: PAGE, read, cursorOf: (orderId) => orderId });
  }

  private async read(orderIds: string[]): Promise<Line[][]> {
    const [condition, values] = this.database.dialect.inCondition.values('order_id', orderIds);
    const sql = `SELECT ${selectList(columns)} FROM orders WHERE ${condition} ORDER BY order_id`;
    const stored: Stored[] = await this.database.read.query(sql, values);
    return stored.map(linesOf);
  }
}

function linesOf({ items, ...order }: Stored): Line[] {
  const times = {
    ...{ placedAt: isoTime(order.placedAt), paidAt: isoTime(order.paidAt), shippedAt: isoTime(order.shippedAt) },
    ...{ receivedAt: isoTime(order.receivedAt), cancelledAt: isoTime(order.cancelledAt) },
  };
  const lines: OrderItem[] = JSON.parse(items);
  return lines.map(({ bookId, title, count, price }, index) => {
    return { ...order, ...times, line: index + 1, bookId, title, count, price };
  });
}
