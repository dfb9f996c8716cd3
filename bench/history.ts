import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { orderFields } from '../src/commands/order.columns.js';
import type { OrderEntity } from '../src/commands/order.entity.js';
import { memberOf } from '../src/commands/order.view.js';
import { isoTime } from '../src/contract/fields.js';
import { type Role, roles } from '../src/contract/lifecycle.js';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import { writeBody } from '../src/rooms/event.body.js';
import type { TestHub } from '../test/support/hub.js';
import { range } from '../test/support/ways.js';
import type { Party } from './wire.js';

const ROWS_AT_ONCE = 2_000;
const ORDERS_AT_ONCE = 5_000;
const A_DAY_MS = 86_400_000;
const PRICE = 1_000;
/** Placed and cancelled. */
const EVENTS_AN_ORDER = 2;

type Seller = Party & { storeId: string };
/** The digits of a UUIDv7 that say when it was made, and the dash among them. */
const ID_TIME_CHARACTERS = 13;

/** Rows written straight into the tables, as the hub would have written them: a million orders would take it a while. */
export class History {
  private readonly heads = new Map<string, { role: Role; userId: string; head: number }>();

  constructor(private readonly hub: TestHub) {}

  /** People who have registered and logged in, each with so much money. Nobody knows their passwords. */
  async people(name: string, count: number, balance: number): Promise<Party[]> {
    const parties = Array.from({ length: count }, (_, index) => ({
      userId: `${name}-${index}`,
      token: randomBytes(32).toString('base64url'),
    }));
    const now = Date.now();
    const ids = parties.map(({ userId }) => userId);
    await this.insert('users', { user_id: ids, password_hash: 'none', created_at: now });
    await this.insert('sessions', {
      token_hash: parties.map(({ token }) => createHash('sha256').update(token).digest('hex')),
      ...{ user_id: ids, created_at: now, expires_at: now + A_DAY_MS },
    });
    const entries = balance > 0 ? 1 : 0;
    await this.insert('wallets', { user_id: ids, balance, entries });
    if (entries)
      await this.insert('wallet_entries', {
        ...{ user_id: ids, entry_no: 1, amount: balance, balance, kind: 'deposit', at: now },
      });
    for (const role of roles) await this.insert('rooms', { role, user_id: ids, head: 0 });
    return parties;
  }

  /**
   * Orders of the day before that were placed and cancelled, spread over everybody. Only the newest have their events still:
   * those of the others are past the keeping time.
   */
  async orders(buyers: Party[], sellers: Seller[], count: number, withEvents: { count: number; roles: Role[] }) {
    await this.oldOrders(buyers, sellers, count - withEvents.count);
    for (let start = 0; start < withEvents.count; start += ORDERS_AT_ONCE) {
      const many = Math.min(ORDERS_AT_ONCE, withEvents.count - start);
      const orders = this.write(buyers, sellers, many, Date.now() - A_DAY_MS / 2 + start);
      const events = orders.flatMap((order) =>
        roles.flatMap((role) => {
          const pushes = this.pushesOf(order, role);
          return withEvents.roles.includes(role) ? pushes : [];
        }),
      );
      await this.insertOrders(orders);
      await this.insert('room_events', {
        role: events.map(({ role }) => role),
        user_id: events.map((event) => memberOf(event, event.role)),
        seq: events.map(({ seq }) => seq),
        body: events.map((push) => writeBody(push)),
        at: events.map(({ at }) => Date.parse(at)),
      });
    }
  }

  /** A block of orders is written, and the database copies it: each copy has another time in front of its ids. */
  private async oldOrders(buyers: Party[], sellers: Seller[], count: number): Promise<void> {
    const block = Math.min(ORDERS_AT_ONCE, count);
    if (block === 0) return;
    const { writer, dialect } = this.hub.database;
    if (dialect.singleWriter) await writer.query('PRAGMA cache_size = -500000');
    const copies = Math.ceil(count / block);
    const timeOf = (copy: number) => Date.now() - A_DAY_MS + Math.floor((copy * A_DAY_MS) / 3 / copies);
    const first = this.write(buyers, sellers, block, timeOf(0));
    await this.insertOrders(first);
    const prefix = first[0]?.orderId.slice(0, ID_TIME_CHARACTERS) ?? '';
    const columns = Object.values(orderFields);
    const rest = columns.filter((column) => column !== 'order_id');
    const id = dialect.singleWriter ? '? || SUBSTR(order_id, ?)' : 'CONCAT(?, SUBSTR(order_id, ?))';
    const copy = `INSERT INTO orders (order_id, ${rest.join(', ')}) SELECT ${id}, ${rest.join(', ')} FROM orders
      WHERE order_id >= ? AND order_id < ? ORDER BY order_id LIMIT ?`;
    for (let number = 0; number < copies; number++) {
      const many = Math.min(block, count - number * block);
      const time = uuidv7({ msecs: timeOf(number) }).slice(0, ID_TIME_CHARACTERS);
      const values = [time, ID_TIME_CHARACTERS + 1, prefix, `${prefix}~`, many];
      if (number > 0) await writer.query(copy, values);
      const copied = many < block ? first.toSorted((a, b) => (a.orderId < b.orderId ? -1 : 1)).slice(0, many) : first;
      for (const order of copied) for (const role of roles) this.room(order, role).head += EVENTS_AN_ORDER;
    }
  }

  /** Numbers of rooms, once everything is written. */
  async close(): Promise<void> {
    for (const { role, userId, head } of this.heads.values()) {
      const sql = 'UPDATE rooms SET head = ? WHERE role = ? AND user_id = ?';
      await this.hub.database.writer.query(sql, [head, role, userId]);
    }
  }

  private write(buyers: Party[], sellers: Seller[], count: number, at: number): OrderEntity[] {
    return Array.from({ length: count }, (_, index) => cancelled(index, at, buyers, sellers));
  }

  private insertOrders(orders: OrderEntity[]): Promise<void> {
    const columns = Object.entries(orderFields) as [keyof OrderEntity, string][];
    return this.insert(
      'orders',
      Object.fromEntries(columns.map(([field, column]) => [column, orders.map((order) => order[field])])),
    );
  }

  /** What a room was told of an order. Its number grows with it, whether the events are kept or not. */
  private pushesOf(order: OrderEntity, role: Role): OrderStatusPush[] {
    const { orderId, storeId, buyerId, sellerId, total, placedAt } = order;
    const room = this.room(order, role);
    return (['placed', 'cancelled'] as const).map((status, change) => ({
      ...{ role, seq: ++room.head, orderId, version: change + 1, status, previous: change === 0 ? null : 'placed' },
      ...{ storeId, buyerId, sellerId, total, by: buyerId, at: isoTime(placedAt) },
    }));
  }

  private room(order: OrderEntity, role: Role) {
    const userId = memberOf(order, role);
    const known = this.heads.get(`${role} ${userId}`);
    if (known) return known;
    const room = { role, userId, head: 0 };
    this.heads.set(`${role} ${userId}`, room);
    return room;
  }

  /** Rows of columns: each a value of its own in every row, or the same in all. */
  private async insert(table: string, columns: Record<string, unknown>): Promise<void> {
    const names = Object.keys(columns);
    const lists = Object.values(columns);
    const count = lists.find(Array.isArray)?.length ?? 0;
    for (let start = 0; start < count; start += ROWS_AT_ONCE) {
      const numbers = range(Math.min(ROWS_AT_ONCE, count - start)).map((index) => start + index);
      const rows = numbers.map((row) => lists.map((list) => (Array.isArray(list) ? list[row] : list)));
      const { database } = this.hub;
      await database.transaction((tx) => tx.query(...database.dialect.write({ table, columns: names, rows })));
    }
  }
}

function cancelled(index: number, at: number, buyers: Party[], sellers: Seller[]): OrderEntity {
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
