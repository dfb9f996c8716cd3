import { Refusal } from '../contract/errors.js';
import { STOCK_MAX } from '../contract/fields.js';
import type { CommandNamed } from './command.js';
import type { Decision } from './order.rules.js';
import { pair, type World } from './world.js';

/** Copies that arrive at the store, or leave it by another way than an order. */
export function addStock(world: World, { by, request: { storeId, bookId, add } }: CommandNamed<'stock:add'>): Decision {
  const ownerId = world.stores.get(storeId);
  if (ownerId === undefined) return new Refusal('STORE_NOT_FOUND');
  if (ownerId !== by) return new Refusal('FORBIDDEN');
  const book = world.books.get(pair(storeId, bookId));
  if (!book) return new Refusal('BOOK_NOT_FOUND', undefined, { bookId });
  const stock = book.stock + add;
  if (stock < 0) return new Refusal('OUT_OF_STOCK', undefined, { bookId, wanted: -add, available: book.stock });
  // Taking away is fine even while cancelled orders hold the stock above the limit.
  if (add > 0 && stock > STOCK_MAX)
    return Refusal.badMessage([{ path: 'add', problem: `would take the stock above ${STOCK_MAX}` }]);
  return { stock: [{ book, by: add }] };
}
