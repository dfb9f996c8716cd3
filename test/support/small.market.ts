import { expect } from '@jest/globals';
import type { Command } from '../../src/commands/command.js';
import { type BookRow, pair } from '../../src/commands/rows.js';
import { UnitOfWork } from '../../src/commands/unit.of.work.js';
import type { Settlement } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import { executeOn, openStore } from './handlers.js';
import { newRoom } from './rows.js';

/** The rows of a small market in memory, and commands on them, for examples of the rules. */

export const BALANCE_MAX = 2 ** 53 - 1;
export const STOCK_MAX = 1_000_000;
export const NOW = 1_000_000;
export const AUTO_RECEIVE_MS = 5_000;

/** ann's store with one book, and two users with wallets. */
export function market({
  stock = 5,
  lowMark = 2,
  price = 10,
  ann = 0,
  bob = 100,
  autoReceiveMs = AUTO_RECEIVE_MS,
  settleAt = 'paid' as Settlement,
  shipWithinMs = 0,
  payments = undefined as UnitOfWork['policy']['payments'],
} = {}): UnitOfWork {
  const unit = new UnitOfWork({
    unpaidTtlMs: 1_000,
    autoReceiveMs,
    settleAt,
    shipWithinMs,
    needsAddress: false,
    payments,
  });
  unit.stores.set('shop', openStore('ann'));
  unit.addBook({ bookNo: 1, storeId: 'shop', bookId: 'book', title: 'Book', price, lowMark, listed: 1, stock });
  for (const [userId, balance] of Object.entries({ ann, bob })) {
    unit.users.add(userId);
    unit.wallets.set(userId, { userId, balance, held: 0, entries: 0, version: 0 });
    for (const role of ['buyer', 'seller'] as const) unit.rooms.set(pair(role, userId), newRoom(role, userId));
  }
  unit.texts.set(1, {
    bookNo: 1,
    author: null,
    publisher: null,
    isbn: null,
    tags: null,
    summary: null,
    coverUrl: null,
    details: null,
  });
  return unit;
}

export function execute(
  unit: UnitOfWork,
  name: Command['name'],
  actorId: string | null,
  request: object,
  now = NOW,
  others: Partial<Pick<Command, 'acting' | 'newId' | 'key'>> = {},
): Answer<unknown> {
  const newId = name === 'order:place' ? { newId: 'order' } : {};
  return executeOn(unit, { name, actorId, request, ...newId, ...others } as unknown as Command, now);
}

/** bob orders copies of the book: the order 'order'. */
export const place = (unit: UnitOfWork, count = 1) =>
  execute(unit, 'order:place', 'bob', { storeId: 'shop', items: copies(count) });

/** bob orders and pays copies of the book, on such a market. */
export function paidMarket(count: number, terms: Parameters<typeof market>[0] = {}): UnitOfWork {
  const unit = market(terms);
  place(unit, count);
  execute(unit, 'order:pay', 'bob', { orderId: 'order' });
  return unit;
}

/** Copies of the book, as a request names them. */
export const copies = (count: number) => [{ bookId: 'book', count }];

/** ann ships copies of the paid order. */
export const ship = (unit: UnitOfWork, count: number, tracking = {}) =>
  execute(unit, 'order:ship', 'ann', { orderId: 'order', items: copies(count), ...tracking });

/** What the latest change of the order has stored. */
export const lastChanges = (unit: UnitOfWork) => unit.orders.get('order')?.timeline.at(-1)?.changes;

export function bookOf(unit: UnitOfWork): BookRow {
  const book = unit.books.get(pair('shop', 'book'));
  if (!book) throw new Error('The store has no book');
  return book;
}

/** What a user's ledger has gained. */
export const booked = (unit: UnitOfWork, userId: string) =>
  unit.dirty.entries.filter((entry) => entry.userId === userId).map(({ kind, amount }) => `${kind} ${amount}`);

export const rejectedWith = (code: string, details?: unknown) => ({
  ok: false,
  error: { code, ...(details ? { details } : {}) },
});

export const badMessage = (path: string, problem: RegExp) =>
  rejectedWith('BAD_MESSAGE', [{ path, problem: expect.stringMatching(problem) }]);
