import { v7 as uuidv7 } from 'uuid';
import { type OrderField, orderColumns, orderFields } from '../../src/commands/order.columns.js';
import type { OrderStatus } from '../../src/contract/transitions.js';
import type { OrderEntity } from '../../src/orders/order.entity.js';
import { type ChangeDto, Orders, type PlaceDto } from './gateway.js';
import type { Run, Statements, Value } from './statements.js';

const UNPAID_TTL_MS = 900_000;
const INSERT_ORDER = `INSERT INTO orders (${Object.values(orderFields).join(', ')})
  VALUES (${Object.values(orderFields).map(() => '?')})`;
const TAKE_STOCK = 'UPDATE book_stock SET stock = stock - ? WHERE book_no = ? AND stock >= ?';
const MOVE_MONEY = `UPDATE wallets SET balance = balance + CASE user_id WHEN ? THEN ? ELSE ? END, entries = entries + 1
  WHERE user_id IN (?, ?)`;
const INSERT_ENTRIES = `INSERT INTO wallet_entries (user_id, entry_no, amount, balance, kind, order_id, at)
  VALUES (?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?)`;

/**
 * The minimum of hand-written prepared statements and row locks, one transaction per command. Like `usual`, it has no
 * idempotency keys, no stored events, no replay and no ledger to audit.
 */
export class LeanOrders extends Orders {
  constructor(
    private readonly statements: Statements,
    readonly authenticate: (token: string) => Promise<string | undefined>,
  ) {
    super();
  }

  place(buyerId: string, { storeId, items }: PlaceDto): Promise<OrderEntity> {
    return this.statements.transaction(async (run) => {
      const { rows } = await run(
        `SELECT b.book_no AS bookNo, b.book_id AS bookId, b.title, b.price, o.owner_id AS ownerId FROM books b
         JOIN stores o ON o.store_id = b.store_id WHERE b.store_id = ? AND b.book_id IN (${items.map(() => '?')})`,
        [storeId, ...items.map(({ bookId }) => bookId)],
      );
      const lines = items.map(({ bookId, count }) => {
        const book = rows.find((row) => row.bookId === bookId);
        if (!book) throw new Error('BOOK_NOT_FOUND');
        return { bookNo: Number(book.bookNo), bookId, title: String(book.title), count, price: Number(book.price) };
      });
      for (const { bookNo, count } of lines.toSorted((a, b) => a.bookNo - b.bookNo)) {
        const { written } = await run(TAKE_STOCK, [count, bookNo, count]);
        if (written === 0) throw new Error('OUT_OF_STOCK');
      }
      const now = Date.now();
      const order = {
        ...{ orderId: uuidv7(), storeId, buyerId, sellerId: String(rows[0]?.ownerId), status: 'placed', version: 1 },
        total: lines.reduce((sum, { count, price }) => sum + count * price, 0),
        items: JSON.stringify(lines),
        timeline: JSON.stringify([{ version: 1, status: 'placed', by: buyerId, at: now }]),
        ...{ placedAt: now, expiresAt: now + UNPAID_TTL_MS, dueAt: now + UNPAID_TTL_MS },
        ...{ paidAt: null, shippedAt: null, receivedAt: null, cancelledAt: null },
        ...{ carrier: null, trackingNo: null, cancelReason: null, number: null },
        ...{ claimedBy: null, claimedUntil: null, claims: 0 },
      } satisfies OrderEntity;
      await run(
        INSERT_ORDER,
        (Object.keys(orderFields) as OrderField[]).map((field) => order[field]),
      );
      return order;
    });
  }

  pay(userId: string, { orderId }: ChangeDto): Promise<OrderEntity> {
    return this.change(orderId, 'placed', 'paid', userId, async (run, order, now) => {
      const { orderId: id, buyerId, sellerId, total } = order;
      const { rows } = await run(
        `SELECT user_id AS userId, balance, entries FROM wallets WHERE user_id IN (?, ?)${this.statements.forUpdate}`,
        [buyerId, sellerId],
      );
      const entryOf = (userId: string, amount: number, kind: string): Value[] => {
        const wallet = rows.find((row) => row.userId === userId);
        const balance = Number(wallet?.balance) + amount;
        if (!(balance >= 0)) throw new Error('INSUFFICIENT_FUNDS');
        return [userId, Number(wallet?.entries) + 1, amount, balance, kind, id, now];
      };
      const entries = [...entryOf(buyerId, -total, 'payment'), ...entryOf(sellerId, total, 'sale')];
      await run(MOVE_MONEY, [buyerId, -total, total, buyerId, sellerId]);
      await run(INSERT_ENTRIES, entries);
      return { paidAt: now, dueAt: null };
    });
  }

  ship(userId: string, { orderId, carrier, trackingNo }: ChangeDto): Promise<OrderEntity> {
    return this.change(orderId, 'paid', 'shipped', userId, async (_run, _order, now) => ({
      ...{ shippedAt: now, carrier: carrier ?? null, trackingNo: trackingNo ?? null },
    }));
  }

  receive(userId: string, { orderId }: ChangeDto): Promise<OrderEntity> {
    return this.change(orderId, 'shipped', 'received', userId, async (_run, _order, now) => ({ receivedAt: now }));
  }

  private change(
    orderId: string,
    from: OrderStatus,
    to: OrderStatus,
    actorId: string,
    apply: (run: Run, order: OrderEntity, now: number) => Promise<Partial<OrderEntity>>,
  ): Promise<OrderEntity> {
    return this.statements.transaction(async (run) => {
      const sql = `SELECT ${orderColumns} FROM orders WHERE order_id = ?${this.statements.forUpdate}`;
      const { rows } = await run(sql, [orderId]);
      const [order] = rows as unknown as OrderEntity[];
      if (order?.status !== from || ![order.buyerId, order.sellerId].includes(actorId)) throw new Error('ORDER_STATE');
      const now = Date.now();
      const version = Number(order.version) + 1;
      const timeline = JSON.stringify([...JSON.parse(order.timeline), { version, status: to, by: actorId, at: now }]);
      const changed = { ...(await apply(run, order, now)), status: to, version, timeline };
      const columns = Object.keys(changed).map((field) => `${orderFields[field as OrderField]} = ?`);
      await run(`UPDATE orders SET ${columns} WHERE order_id = ?`, [...Object.values(changed), orderId]);
      return { ...order, ...changed };
    });
  }
}
