import { v7 as uuidv7 } from 'uuid';
import { orderFields } from '../src/commands/order.columns.js';
import type { OrderEntity } from '../src/commands/order.entity.js';
import { isoTime } from '../src/contract/fields.js';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import { placeholders } from '../src/platform/database.js';
import type { TestHub } from '../test/support/hub.js';
import type { Market, Party } from './wire.js';

const ROWS_AT_ONCE = 500;
const A_DAY_MS = 86_400_000;
const PRICE = 1_000;
const EVENTS_AN_ORDER = 2;

/** Rows written straight into the tables: a million orders would take the hub itself a while. */
async function insert(hub: TestHub, table: string, columns: readonly string[], rows: unknown[][]): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    const part = rows.slice(start, start + ROWS_AT_ONCE);
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${placeholders(part.length, columns.length)}`;
    await hub.database.writer.query(sql, part.flat());
  }
}

/** Orders of the day before that were placed and cancelled, spread over everybody. Their events are past the keeping time. */
export async function writeOrders(hub: TestHub, { buyers, sellers }: Market, count: number): Promise<void> {
  const columns = Object.values(orderFields);
  for (let start = 0; start < count; start += ROWS_AT_ONCE) {
    const orders = Array.from({ length: Math.min(ROWS_AT_ONCE, count - start) }, (_, index) =>
      cancelled(start + index, count, buyers, sellers),
    );
    await insert(
      hub,
      'orders',
      columns,
      orders.map((order) => valuesOf(order)),
    );
  }
  for (const [role, parties] of [
    ['buyer', buyers],
    ['seller', sellers],
  ] as const) {
    for (const [index, { userId }] of parties.entries()) {
      const orders = Math.floor(count / parties.length) + (index < count % parties.length ? 1 : 0);
      await raise(hub, role, userId, orders * EVENTS_AN_ORDER);
    }
  }
}

/** So many events that a buyer has not seen yet, and the orders that they are about. */
export async function writeEvents(hub: TestHub, buyer: Party, { sellers }: Market, count: number): Promise<void> {
  const orders = Array.from({ length: count / EVENTS_AN_ORDER }, (_, index) =>
    cancelled(index, count, [buyer], sellers.slice(0, 1)),
  );
  await insert(
    hub,
    'orders',
    Object.values(orderFields),
    orders.map((order) => valuesOf(order)),
  );
  const events = orders.flatMap((order, index) =>
    (['placed', 'cancelled'] as const).map((status, change): unknown[] => {
      const seq = index * EVENTS_AN_ORDER + change + 1;
      const { orderId, storeId, buyerId, sellerId, total, placedAt } = order;
      const about = { orderId, version: change + 1, status, storeId, buyerId, sellerId, total };
      const push: OrderStatusPush = {
        ...{ role: 'buyer', seq, ...about, previous: change === 0 ? null : 'placed', by: buyerId },
        at: isoTime(placedAt),
      };
      return ['buyer', buyerId, seq, JSON.stringify(push), placedAt];
    }),
  );
  await insert(hub, 'room_events', ['role', 'user_id', 'seq', 'body', 'at'], events);
  await raise(hub, 'buyer', buyer.userId, count);
  await raise(hub, 'seller', sellers[0]?.userId ?? '', count);
}

/** People who are connected and do nothing. */
export async function writeIdle(hub: TestHub, count: number): Promise<Party[]> {
  const parties: Party[] = [];
  for (let index = 0; index < count; index++) {
    const { userId, token } = await hub.person();
    parties.push({ userId, token });
  }
  return parties;
}

function raise(hub: TestHub, role: string, userId: string, by: number): Promise<unknown> {
  const sql = 'UPDATE rooms SET head = head + ? WHERE role = ? AND user_id = ?';
  return hub.database.writer.query(sql, [by, role, userId]);
}

function cancelled(index: number, count: number, buyers: Party[], sellers: Market['sellers']): OrderEntity {
  const at = Date.now() - A_DAY_MS + Math.floor((index * A_DAY_MS) / 2 / count);
  const buyerId = buyers[index % buyers.length]?.userId ?? '';
  const seller = sellers[index % sellers.length];
  return {
    ...{ orderId: uuidv7({ msecs: at }), storeId: seller?.storeId ?? '', buyerId, sellerId: seller?.userId ?? '' },
    ...{ status: 'cancelled', version: 2, total: PRICE },
    items: JSON.stringify([{ bookNo: 1, bookId: 'book-1', title: 'Book 1', count: 1, price: PRICE }]),
    timeline: JSON.stringify([
      { version: 1, status: 'placed', by: buyerId, at },
      { version: 2, status: 'cancelled', by: buyerId, at },
    ]),
    ...{ placedAt: at, expiresAt: at, paidAt: null, shippedAt: null, receivedAt: null, cancelledAt: at, dueAt: null },
    ...{ carrier: null, trackingNo: null, cancelReason: null },
  };
}

function valuesOf(order: OrderEntity): unknown[] {
  return (Object.keys(orderFields) as (keyof OrderEntity)[]).map((field) => order[field]);
}
