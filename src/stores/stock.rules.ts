import type { Decision } from '../commands/command.handler.js';
import { accountOf, type Command } from '../commands/command.js';
import { pair } from '../commands/rows.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { STOCK_MAX } from '../contract/fields.js';

/** Copies arrive in the store, or leave it otherwise than by an order. */
export function addStock(unit: UnitOfWork, command: Command<'stock:add'>): Decision {
  const { storeId, bookId, add } = command.request;
  const store = unit.stores.get(storeId);
  if (!store) return new HubError('STORE_NOT_FOUND');
  if (store.ownerId !== accountOf(command)) return new HubError('FORBIDDEN');
  const book = unit.books.get(pair(storeId, bookId));
  if (!book) return new HubError('BOOK_NOT_FOUND', undefined, { bookId });
  const stock = book.stock + add;
  if (stock < 0) return new HubError('OUT_OF_STOCK', undefined, { bookId, wanted: -add, available: book.stock });
  // Cancellations may have raised the stock above the limit; it can still be lowered.
  if (stock > Math.max(STOCK_MAX, book.stock))
    return HubError.badMessage([{ path: 'add', problem: `would take the stock above ${STOCK_MAX}` }]);
  return { stock: [{ book, delta: add }] };
}
