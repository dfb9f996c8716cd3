import type { CommandHandlers } from '../commands/command.handler.js';
import { pair } from '../commands/rows.js';
import { presentBook } from './book.presenter.js';
import { addStock } from './stock.rules.js';
import { presentStore } from './store.presenter.js';
import { changeStore } from './store.rules.js';

/** The commands of a store's owner. */
export const storeHandlers: CommandHandlers<'stock:add' | 'store:change'> = {
  'stock:add': {
    keys: ({ request: { storeId, bookId } }) => ({ books: [[storeId, bookId]], stores: [storeId] }),
    relatedKeys(unit, { request: { storeId, bookId } }) {
      const book = unit.books.get(pair(storeId, bookId));
      return book ? { texts: [book.bookNo] } : {};
    },
    decide: addStock,
    present(unit, _command, { change }) {
      const book = change.stock?.[0]?.book;
      const texts = book && unit.texts.get(book.bookNo);
      if (!book || !texts) throw new Error('The texts of a book whose stock changed were not loaded');
      return { data: presentBook(book, texts) };
    },
  },
  'store:change': {
    keys: ({ request: { storeId } }) => ({ changedStores: [storeId] }),
    decide: changeStore,
    present(_unit, _command, { change, now }) {
      if (!change.store) throw new Error('A store was not changed');
      return { data: presentStore(change.store.after, now) };
    },
  },
};
