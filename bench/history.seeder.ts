import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { type OrderField, orderFields } from '../src/commands/order.columns.js';
import { memberOf } from '../src/commands/rows.js';
import { isoTime } from '../src/contract/fields.js';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import { type Role, roles } from '../src/contract/transitions.js';
import type { OrderEntity } from '../src/orders/order.entity.js';
import { encodeEvent } from '../src/rooms/event.codec.js';
import type { TestHub } from '../test/support/hub.js';
import { range } from '../test/support/ways.js';
import type { Participant } from './wire.js';

const INSERT_BATCH = 2_000;
const ORDER_BATCH = 5_000;
const DAY_MS = 86_400_000;
const PRICE = 1_000;
/** Placed and cancelled. */
const EVENTS_PER_ORDER = 2;

type Seller = Participant & { storeId: string };
/** Length of the timestamp prefix of a UUIDv7, with its dash. */
const ID_TIME_LENGTH = 13;

/** Inserts users and past orders directly, in the form the hub would have written: placing a million orders would take too long. */
export class HistorySeeder {
  private readonly heads = new Map<string, { role: Role; userId: string; head: number }>();

  constructor(private readonly hub: TestHub) {}

  /** Users with a session and a wallet each. Their password hashes match no password. */
  async addUsers(name: string, count: number, balance: number): Promise<Participant[]> {
    const parties = Array.from({ length: count }, (_, index) => ({
      userId: `${name}-${index}`,
      token: randomBytes(32).toString('base64url'),
    }));
    const now = Date.now();
    const ids = parties.map(({ userId }) => userId);
    await this.insert('users', { user_id: ids, password_hash: 'none', created_at: now });
    await this.insert('sessions', {
      token_hash: parties.map(({ token }) => createHash('sha256').update(token).digest('hex')),
      ...{ user_id: ids, created_at: now, expires_at: now + DAY_MS },
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
   * Orders placed and cancelled the day before, spread over all parties. Only the newest `withEvents.count` still have their
   * events; those of the others are past retention.
   */
  async addOrders(
    buyers: Participant[],
    sellers: Seller[],
    count: number,
    withEvents: { count: number; roles: Role[] },
  ) {
    await this.addOldOrders(buyers, sellers, count - withEvents.count);
    for (let start = 0; start < withEvents.count; start += ORDER_BATCH) {
      const size = Math.min(ORDER_BATCH, withEvents.count - start);
      const orders = this.cancelledOrders(buyers, sellers, size, Date.now() - DAY_MS / 2 + start);
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
        body: events.map((push) => encodeEvent(push)),
        at: events.map(({ at }) => Date.parse(at)),
      });
    }
  }

  /** Inserts one block of orders, which the database then copies with a new timestamp prefix in each id. */
  private async addOldOrders(buyers: Participant[], sellers: Seller[], count: number): Promise<void> {
    const block = Math.min(ORDER_BATCH, count);
    if (block === 0) return;
    const { writer, dialect } = this.hub.database;
    if (dialect.singleWriter) await writer.query('PRAGMA cache_size = -500000');
    const copies = Math.ceil(count / block);
    const timeOf = (copy: number) => Date.now() - DAY_MS + Math.floor((copy * DAY_MS) / 3 / copies);
    const first = this.cancelledOrders(buyers, sellers, block, timeOf(0));
    await this.insertOrders(first);
    const prefix = first[0]?.orderId.slice(0, ID_TIME_LENGTH) ?? '';
    const columns = Object.values(orderFields);
    const rest = columns.filter((column) => column !== 'order_id');
    const id = dialect.singleWriter ? '? || SUBSTR(order_id, ?)' : 'CONCAT(?, SUBSTR(order_id, ?))';
    const copy = `INSERT INTO orders (order_id, ${rest.join(', ')}) SELECT ${id}, ${rest.join(', ')} FROM orders
      WHERE order_id >= ? AND order_id < ? ORDER BY order_id LIMIT ?`;
    for (let number = 0; number < copies; number++) {
      const size = Math.min(block, count - number * block);
      const time = uuidv7({ msecs: timeOf(number) }).slice(0, ID_TIME_LENGTH);
      const values = [time, ID_TIME_LENGTH + 1, prefix, `${prefix}~`, size];
      if (number > 0) await writer.query(copy, values);
      const copied = size < block ? first.toSorted((a, b) => (a.orderId < b.orderId ? -1 : 1)).slice(0, size) : first;
      for (const order of copied) for (const role of roles) this.room(order, role).head += EVENTS_PER_ORDER;
    }
  }

  /** To be called once, after all orders were added. All of them are cancelled. */
  async writeRooms(): Promise<void> {
    for (const { role, userId, head } of this.heads.values()) {
      const sql = 'UPDATE rooms SET head = ?, cancelled = ? WHERE role = ? AND user_id = ?';
      await this.hub.database.writer.query(sql, [head, head / EVENTS_PER_ORDER, role, userId]);
    }
  }

  private cancelledOrders(buyers: Participant[], sellers: Seller[], count: number, at: number): OrderEntity[] {
    return Array.from({ length: count }, (_, index) => cancelled(index, at, buyers, sellers));
  }

  private insertOrders(orders: OrderEntity[]): Promise<void> {
    const columns = Object.entries(orderFields) as [OrderField, string][];
    return this.insert(
      'orders',
      Object.fromEntries(columns.map(([field, column]) => [column, orders.map((order) => order[field])])),
    );
  }

  /** A room's events of an order. They advance the room's head whether or not they are stored. */
  private pushesOf(order: OrderEntity, role: Role): OrderStatusPush[] {
    const { orderId, storeId, buyerId, sellerId, total, placedAt } = order;
    const room = this.room(order, role);
    return (['placed', 'cancelled'] as const).map((status, change) => ({
      ...{ role, seq: ++room.head, orderId, version: change + 1, status, previous: change === 0 ? null : 'placed' },
      command: change === 0 ? 'place' : 'cancel',
      ...{ storeId, buyerId, sellerId, total, by: buyerId, at: isoTime(placedAt) },
    }));
  }

  private room(order: OrderEntity, role: Role) {
    const userId = memberOf(order, role);
    const existing = this.heads.get(`${role} ${userId}`);
    if (existing) return existing;
    const room = { role, userId, head: 0 };
    this.heads.set(`${role} ${userId}`, room);
    return room;
  }

  /** A column is an array with a value for each row, or a single value for all rows. */
  private async insert(table: string, columns: Record<string, unknown>): Promise<void> {
    const names = Object.keys(columns);
    const values = Object.values(columns);
    const count = values.find(Array.isArray)?.length ?? 0;
    for (let start = 0; start < count; start += INSERT_BATCH) {
      const numbers = range(Math.min(INSERT_BATCH, count - start)).map((index) => start + index);
      const rows = numbers.map((row) => values.map((value) => (Array.isArray(value) ? value[row] : value)));
      const { database } = this.hub;
      await database.transaction((tx) => tx.query(...database.dialect.write({ table, columns: names, rows })));
    }
  }
}

function cancelled(index: number, at: number, buyers: Participant[], sellers: Seller[]): OrderEntity {
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
    ...{ carrier: null, trackingNo: null, cancelReason: null, number: null },
    ...{ claimedBy: null, claimedUntil: null, claims: 0 },
  };
}
