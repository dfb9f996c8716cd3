import { Injectable } from '@nestjs/common';
import { orderBytes, orderColumns, parseOrder, type StoredOrder } from '../commands/order.columns.js';
import type { Page } from '../contract/fields.js';
import type { OrderWithTimeline } from '../contract/orders.js';
import type { Role } from '../contract/transitions.js';
import type { ClientInfo } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { PageReader } from '../platform/database/page.reader.js';
import { presentOrderWithTimeline } from './order.presenter.js';
import { addressBytes, notesBytes, OrderWordsReader } from './order.words.js';

const PAGE = 100;

/** All orders of a user with all that is kept of them, for the user to take along. */
@Injectable()
export class OrderExport {
  constructor(
    private readonly database: Database,
    private readonly pages: PageReader,
    private readonly words: OrderWordsReader,
    private readonly clock: Clock,
  ) {}

  /** A page of the user's orders in this role, oldest first. */
  async page({ readKey }: ClientInfo, userId: string, role: Role, after = ''): Promise<Page<OrderWithTimeline>> {
    const sql = `SELECT order_id AS orderId, ${orderBytes} + ${addressBytes} + ${notesBytes} AS bytes FROM orders
      WHERE ${role}_id = ? AND order_id > ? ORDER BY order_id LIMIT ?`;
    const found: { orderId: string; bytes: number | string }[] = await this.database.read.query(sql, [
      ...[userId, after, PAGE + 1],
    ]);
    const rows = found.map(({ orderId, bytes }) => ({ key: orderId, bytes: Number(bytes) }));
    const read = (orderIds: string[]) => this.read(orderIds, role);
    return this.pages.read({ readKey, rows, limit: PAGE, read, cursorOf: (orderId) => orderId });
  }

  private async read(orderIds: string[], role: Role): Promise<OrderWithTimeline[]> {
    if (orderIds.length === 0) return [];
    const [condition, ids] = this.database.dialect.inCondition.values('order_id', orderIds);
    const sql = `SELECT ${orderColumns} FROM orders WHERE ${condition} ORDER BY order_id`;
    const [stored, wordsOf] = await Promise.all([
      this.database.read.query(sql, ids) as Promise<StoredOrder[]>,
      this.words.read(orderIds),
    ]);
    const now = this.clock.now();
    return stored.map((row) => presentOrderWithTimeline(parseOrder(row), wordsOf(row.orderId), role, now));
  }
}
