import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { OrderStatus } from '../../src/contract/transitions.js';
import { OrderEntity } from '../../src/orders/order.entity.js';
import type { Database } from '../../src/platform/database/database.js';
import { Book, BookStock, Store } from '../../src/stores/store.entity.js';
import { Wallet, WalletEntry } from '../../src/wallets/wallet.entity.js';
import { type ChangeDto, Orders, type PlaceDto } from './gateway.js';

const UNPAID_TTL_MS = 900_000;

/**
 * Idiomatic TypeORM: repositories, pessimistic row locks, one transaction per command, retried after a deadlock. Without
 * idempotency keys a resent command takes effect twice; without stored events a disconnected client misses them.
 */
@Injectable()
export class UsualOrders extends Orders {
  constructor(
    private readonly database: Database,
    readonly authenticate: (token: string) => Promise<string | undefined>,
  ) {
    super();
  }

  place(buyerId: string, { storeId, items }: PlaceDto): Promise<OrderEntity> {
    return this.database.transaction(async (em) => {
      const store = await em.findOneByOrFail(Store, { storeId });
      const books = await em.findBy(Book, { storeId, bookId: In(items.map(({ bookId }) => bookId)) });
      const stocks = await em.find(BookStock, {
        where: { bookNo: In(books.map(({ bookNo }) => bookNo)) },
        ...this.lock(),
      });
      const lines = items.map(({ bookId, count }) => {
        const book = books.find((each) => each.bookId === bookId);
        const stock = stocks.find(({ bookNo }) => bookNo === book?.bookNo);
        if (!book || !stock || stock.stock < count) throw new Error('OUT_OF_STOCK');
        stock.stock -= count;
        return { bookNo: book.bookNo, bookId, title: book.title, count, price: book.price };
      });
      await em.save(stocks);
      const now = Date.now();
      const order = em.create(OrderEntity, {
        orderId: uuidv7(),
        storeId,
        buyerId,
        sellerId: store.ownerId,
        status: 'placed',
        version: 1,
        total: lines.reduce((sum, { count, price }) => sum + count * price, 0),
        items: JSON.stringify(lines),
        timeline: JSON.stringify([{ version: 1, status: 'placed', by: buyerId, at: now }]),
        placedAt: now,
        expiresAt: now + UNPAID_TTL_MS,
        dueAt: now + UNPAID_TTL_MS,
      });
      return em.save(order);
    });
  }

  pay(userId: string, { orderId }: ChangeDto): Promise<OrderEntity> {
    return this.change(orderId, 'placed', 'paid', userId, async (em, order, now) => {
      const wallets = await em.find(Wallet, { where: { userId: In([order.buyerId, order.sellerId]) }, ...this.lock() });
      for (const [id, amount, kind] of [
        [order.buyerId, -order.total, 'payment'],
        [order.sellerId, order.total, 'sale'],
      ] as const) {
        const wallet = wallets.find((each) => each.userId === id);
        if (!wallet || wallet.balance + amount < 0) throw new Error('INSUFFICIENT_FUNDS');
        wallet.balance += amount;
        wallet.entries++;
        const { balance, entries } = wallet;
        await em.save(
          em.create(WalletEntry, { userId: id, entryNo: entries, amount, balance, kind, orderId, at: now }),
        );
      }
      await em.save(wallets);
      Object.assign(order, { paidAt: now, dueAt: null });
    });
  }

  ship(userId: string, { orderId, carrier, trackingNo }: ChangeDto): Promise<OrderEntity> {
    return this.change(orderId, 'paid', 'shipped', userId, async (_em, order, now) => {
      Object.assign(order, { carrier, trackingNo, shippedAt: now });
    });
  }

  receive(userId: string, { orderId }: ChangeDto): Promise<OrderEntity> {
    return this.change(orderId, 'shipped', 'received', userId, async (_em, order, now) => {
      Object.assign(order, { receivedAt: now });
    });
  }

  private change(
    orderId: string,
    from: OrderStatus,
    to: OrderStatus,
    actorId: string,
    apply: (em: EntityManager, order: OrderEntity, now: number) => Promise<void>,
  ): Promise<OrderEntity> {
    return this.database.transaction(async (em) => {
      const order = await em.findOneOrFail(OrderEntity, { where: { orderId }, ...this.lock() });
      if (order.status !== from || ![order.buyerId, order.sellerId].includes(actorId)) throw new Error('ORDER_STATE');
      const now = Date.now();
      await apply(em, order, now);
      order.status = to;
      order.version++;
      const timeline = [...JSON.parse(order.timeline), { version: order.version, status: to, by: actorId, at: now }];
      order.timeline = JSON.stringify(timeline);
      return em.save(order);
    });
  }

  /** The embedded database runs one transaction at a time, so it has no row locks. */
  private lock() {
    return this.database.dialect.singleWriter ? {} : { lock: { mode: 'pessimistic_write' as const } };
  }
}
