import { Injectable } from '@nestjs/common';
import { orderColumns } from '../commands/order.columns.js';
import { OrderEntity } from '../commands/order.entity.js';
import { isOrderId, orderRow, orderView, orderWithTimeline, partyOf } from '../commands/order.view.js';
import { Refusal } from '../contract/errors.js';
import { PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import { openStatuses } from '../contract/lifecycle.js';
import type { ListRequest, Order, OrderWithTimeline } from '../contract/orders.js';
import { Database, type Tx } from '../platform/database.js';
import { pageOf, readCursor } from '../platform/paging.js';

/** Orders, as their parties read them. */
@Injectable()
export class OrderReads {
  constructor(private readonly database: Database) {}

  async get(userId: string, orderId: string): Promise<OrderWithTimeline> {
    const entity = isOrderId(orderId) ? await this.database.read.findOneBy(OrderEntity, { orderId }) : null;
    if (!entity) throw new Refusal('ORDER_NOT_FOUND');
    const order = orderRow(entity);
    const party = partyOf(order, userId);
    if (!party) throw new Refusal('FORBIDDEN');
    return orderWithTimeline(order, party, Date.now());
  }

  /** Newest first: ids sort by the time of placing, so the last one of a page is where the next begins. */
  async list(
    userId: string,
    { role, status, storeId, after, limit = PAGE_LIMIT_DEFAULT }: ListRequest,
  ): Promise<Page<Order>> {
    const terms: [sql: string, value: string][] = [[role === 'buyer' ? 'buyer_id = ?' : 'seller_id = ?', userId]];
    if (status !== undefined) terms.push(['status = ?', status]);
    if (storeId !== undefined) terms.push(['store_id = ?', storeId]);
    if (after !== undefined) terms.push(['order_id < ?', readCursor(after, isOrderId)]);
    const where = terms.map(([sql]) => sql).join(' AND ');
    // By hand: the builder of queries and of entities takes longer than all the rest of a list.
    const rows: OrderEntity[] = await this.database.read.query(
      `SELECT ${orderColumns} FROM orders WHERE ${where} ORDER BY order_id DESC LIMIT ?`,
      [...terms.map(([, value]) => value), limit + 1],
    );
    const now = Date.now();
    const view = (entity: OrderEntity) => orderView(orderRow(entity), role, now);
    return pageOf(rows, limit, view, ({ orderId }) => orderId);
  }

  /** How many orders still bind this user, as buyer or as seller. */
  async countOpen(tx: Tx, userId: string): Promise<number> {
    return tx
      .createQueryBuilder(OrderEntity, 'o')
      .where('(o.buyerId = :userId OR o.sellerId = :userId) AND o.status IN (:...openStatuses)', {
        userId,
        openStatuses,
      })
      .getCount();
  }
}
