import type { BookView } from '../contract/stores.js';

/** A book as it is read from its tables. */
export interface BookRow {
  bookNo: number;
  storeId: string;
  bookId: string;
  title: string;
  price: number;
  lowMark: number;
  stock: number;
}
export interface BookTextsRow {
  bookNo: number;
  author: string | null;
  publisher: string | null;
  isbn: string | null;
  tags: string | null;
  summary: string | null;
  coverUrl: string | null;
  details: string | null;
}

export const bookTextColumns = 'author, publisher, isbn, tags, summary, cover_url AS coverUrl, details';

/** The book as everybody may read it. What was not given is left out. */
export function bookView(book: BookRow, texts: BookTextsRow): BookView {
  const { storeId, bookId, title, price, stock, lowMark } = book;
  const { author, publisher, isbn, tags, summary, coverUrl, details } = texts;
  return {
    storeId,
    bookId,
    title,
    price,
    stock,
    lowMark,
    ...(author === null ? {} : { author }),
    ...(publisher === null ? {} : { publisher }),
    ...(isbn === null ? {} : { isbn }),
    ...(tags === null ? {} : { tags: JSON.parse(tags) }),
    ...(summary === null ? {} : { summary }),
    ...(coverUrl === null ? {} : { coverUrl }),
    ...(details === null ? {} : { details: JSON.parse(details) }),
  };
}
