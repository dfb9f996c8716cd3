import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { orderFields } from '../src/commands/order.columns.js';
import type { OrderEntity } from '../src/commands/order.entity.js';
import { isoTime } from '../src/contract/fields.js';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import { placeholders } from '../src/platform/database.js';
import type { TestHub } from '../test/support/hub.js';
import type { Party } from './wire.js';

const VALUES_AT_ONCE = 20_000;
const ORDERS_AT_ONCE = 5_000;
const A_DAY_MS = 86_400_000;
const PRICE = 1_000;

type Seller = Party & { storeId: string };
type Role = 'buyer' | 'seller';

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
    for (const role of ['buyer', 'seller']) await this.insert('rooms', { role, user_id: ids, head: 0 });
    return parties;
  }

  /**
   * Orders of the day before that were placed and cancelled, spread over everybody. Only the newest have their events still:
   * those of the others are past the keeping time.
   */
  async orders(buyers: Party[], sellers: Seller[], count: number, withEvents: Partial<Record<Role, number>>) {
    for (let start = 0; start < count; start += ORDERS_AT_ONCE) {
      const orders = Array.from({ length: Math.min(ORDERS_AT_ONCE, count - start) }, (_, index) =>
        cancelled(start + index, count, buyers, sellers),
      );
      const events = orders.flatMap((order, index) =>
        (['buyer', 'seller'] as const).flatMap((role) => {
          const pushes = this.pushesOf(order, role);
          return start + index >= count - (withEvents[role] ?? 0) ? pushes : [];
        }),
      );
      const columns = Object.entries(orderFields) as [keyof OrderEntity, string][];
      await this.insert(
        'orders',
        Object.fromEntries(columns.map(([field, column]) => [column, orders.map((order) => order[field])])),
      );
      await this.insert('room_events', {
        role: events.map(({ role }) => role),
        user_id: events.map(({ role, buyerId, sellerId }) => (role === 'buyer' ? buyerId : sellerId)),
        seq: events.map(({ seq }) => seq),
        body: events.map((push) => JSON.stringify(push)),
        at: events.map(({ at }) => Date.parse(at)),
      });
    }
  }

  /** Numbers of rooms, once everything is written. */
  async close(): Promise<void> {
    for (const { role, userId, head } of this.heads.values()) {
      const sql = 'UPDATE rooms SET head = ? WHERE role = ? AND user_id = ?';
      await this.hub.database.writer.query(sql, [head, role, userId]);
    }
  }

  private pushesOf(order: OrderEntity, role: Role): OrderStatusPush[] {
    const { orderId, storeId, buyerId, sellerId, total, placedAt } = order;
    const userId = role === 'buyer' ? buyerId : sellerId;
    const room = this.heads.get(`${role} ${userId}`) ?? { role, userId, head: 0 };
    this.heads.set(`${role} ${userId}`, room);
    return (['placed', 'cancelled'] as const).map((status, change) => ({
      ...{ role, seq: ++room.head, orderId, version: change + 1, status, previous: change === 0 ? null : 'placed' },
      ...{ storeId, buyerId, sellerId, total, by: buyerId, at: isoTime(placedAt) },
    }));
  }

  /** Rows of columns: each a value of its own in every row, or the same in all. */
  private async insert(table: string, columns: Record<string, unknown>): Promise<void> {
    const names = Object.keys(columns);
    const lists = Object.values(columns);
    const count = lists.find(Array.isArray)?.length ?? 0;
    const atOnce = Math.floor(VALUES_AT_ONCE / names.length);
    for (let start = 0; start < count; start += atOnce) {
      const values: unknown[] = [];
      const end = Math.min(count, start + atOnce);
      for (let row = start; row < end; row++)
        for (const list of lists) values.push(Array.isArray(list) ? list[row] : list);
      const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES ${placeholders(end - start, names.length)}`;
      await this.hub.database.writer.query(sql, values);
    }
  }
}

function cancelled(index: number, count: number, buyers: Party[], sellers: Seller[]): OrderEntity {
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
