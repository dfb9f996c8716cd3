import type { BookRow, BookTextsRow } from '../commands/rows.js';
import type { BookView } from '../contract/stores.js';

/** The book as it is published. Fields that were never set are left out. */
export function presentBook(book: BookRow, texts: BookTextsRow): BookView {
  const { storeId, bookId, title, price, stock, lowMark, listed } = book;
  const { author, publisher, isbn, tags, summary, coverUrl, details } = texts;
  return {
    storeId,
    bookId,
    title,
    price,
    stock,
    lowMark,
    listed: listed === 1,
    ...(author === null ? {} : { author }),
    ...(publisher === null ? {} : { publisher }),
    ...(isbn === null ? {} : { isbn }),
    ...(tags === null ? {} : { tags: JSON.parse(tags) }),
    ...(summary === null ? {} : { summary }),
    ...(coverUrl === null ? {} : { coverUrl }),
    ...(details === null ? {} : { details: JSON.parse(details) }),
  };
}
