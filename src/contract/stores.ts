import { z } from 'zod';
import { coverUrl, details } from './book.fields.js';
import * as field from './fields.js';
import type { RouteRow } from './row.js';

export const TITLE_CHARACTERS_MAX = 500;
export const NAME_CHARACTERS_MAX = 500;
export const AUTHOR_CHARACTERS_MAX = 300;
export const ISBN_CHARACTERS_MAX = 32;
export const TAGS_MAX = 20;
export const TAG_CHARACTERS_MAX = 64;
export const SUMMARY_CHARACTERS_MAX = 20_000;
export const LOW_MARK_DEFAULT = 5;
export const QUERY_CHARACTERS_MAX = 500;

const title = field.text(TITLE_CHARACTERS_MAX).meta({ examples: ['The Three-Body Problem 三体'] });
const name = field.text(NAME_CHARACTERS_MAX).meta({ description: 'For people to read.', examples: ['Corner Books'] });

/** What a book may be described with. */
const description = {
  author: field
    .text(AUTHOR_CHARACTERS_MAX)
    .meta({ examples: ['刘慈欣 Liu Cixin'] })
    .optional(),
  publisher: field
    .text(AUTHOR_CHARACTERS_MAX)
    .meta({ examples: ['重庆出版社'] })
    .optional(),
  isbn: field
    .text(ISBN_CHARACTERS_MAX)
    .meta({ examples: ['9787536692930'] })
    .optional(),
  tags: z
    .array(field.text(TAG_CHARACTERS_MAX).meta({ examples: ['science fiction'] }))
    .max(TAGS_MAX)
    .optional(),
  summary: field
    .text(SUMMARY_CHARACTERS_MAX, { lineBreaks: true })
    .meta({ description: 'May hold line breaks.', examples: ['An answer comes from the stars.'] })
    .optional(),
  coverUrl: coverUrl.optional(),
  lowMark: field.stock
    .meta({
      description: `The stock at which the owner is told; ${LOW_MARK_DEFAULT} unless given.`,
      examples: [LOW_MARK_DEFAULT],
    })
    .optional(),
  details: details.optional(),
};

export const openStoreRequest = z.strictObject({ storeId: field.storeId, name: name.optional() });
export const store = z.strictObject({
  storeId: field.storeId,
  name: field.example('Corner Books').nullable(),
  ownerId: field.userId.meta({ description: 'The user who sells here.', examples: ['mei'] }),
  createdAt: field.time.describe('When it was opened.'),
});
export const storeRequest = z.strictObject({ storeId: field.storeId });
export const storesRequest = z.strictObject({
  owner: field.userId.meta({ description: 'Only the stores of this user.', examples: ['mei'] }).optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});

export const addBookRequest = z.strictObject({
  storeId: field.storeId,
  bookId: field.bookId,
  title,
  price: field.price,
  stock: field.stock,
  ...description,
});
export const changeBookRequest = z.strictObject({
  storeId: field.storeId,
  bookId: field.bookId,
  title: title.optional(),
  price: field.price.optional(),
  ...description,
});
export const addStockRequest = z.strictObject({
  storeId: field.storeId,
  bookId: field.bookId,
  // How far it may go is for the stock to say.
  add: field
    .integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    .refine((add) => add !== 0, 'must not be 0')
    .meta({ not: { const: 0 }, description: 'Copies that came, or below 0: that left. Not 0.', examples: [20] }),
  key: field.key.optional(),
});
export const bookRequest = z.strictObject({ storeId: field.storeId, bookId: field.bookId });

/** The fields that a search looks into. */
export const searchFields = ['title', 'author', 'tags', 'summary'] as const;
export type SearchField = (typeof searchFields)[number];

export const searchRequest = z.strictObject({
  q: field
    .text(QUERY_CHARACTERS_MAX, { min: 0 })
    .meta({ description: 'Parts of words, in Chinese as in English, whatever the letter case.', examples: ['三体'] })
    .optional(),
  field: z.enum(searchFields).describe('Look into this field only; into all of them unless told.').optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});
export const searchStoreRequest = searchRequest.extend({ storeId: field.storeId });

/** A book on the shelf of a store. Optional fields that were not given are left out. */
export const book = z.strictObject({
  storeId: field.storeId,
  bookId: field.bookId,
  title: field.example('The Three-Body Problem 三体'),
  price: field.price,
  stock: z
    .int()
    .min(0)
    .meta({ description: 'How many copies are left.', examples: [12] }),
  lowMark: field.stock.meta({ description: 'The stock at which the owner is told.', examples: [LOW_MARK_DEFAULT] }),
  author: field.example('刘慈欣 Liu Cixin').optional(),
  publisher: field.example('重庆出版社').optional(),
  isbn: field.example('9787536692930').optional(),
  tags: z.array(field.example('science fiction')).optional(),
  summary: field.example('An answer comes from the stars.').optional(),
  coverUrl: field.example('/covers/three-body.jpg').optional(),
  details: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .meta({ examples: [{ pages: 302, hardcover: false }] })
    .optional(),
});

export type OpenStoreRequest = z.infer<typeof openStoreRequest>;
export type StoreView = z.infer<typeof store>;
export type StoresRequest = z.infer<typeof storesRequest>;
export type AddBookRequest = z.infer<typeof addBookRequest>;
export type ChangeBookRequest = z.infer<typeof changeBookRequest>;
export type BookRequest = z.infer<typeof bookRequest>;
export type SearchRequest = z.infer<typeof searchRequest> & { storeId?: string };
export type BookView = z.infer<typeof book>;

export const storeRoutes = {
  openStore: {
    says: 'Opens a store. The caller owns it.',
    method: 'POST',
    path: '/stores',
    status: 201,
    request: openStoreRequest,
    data: store,
    refuses: ['STORE_EXISTS'],
  },
  stores: {
    says: 'Lists stores.',
    method: 'GET',
    path: '/stores',
    open: true,
    request: storesRequest,
    numbers: ['limit'],
    data: field.page(store),
  },
  store: {
    says: 'Shows a store.',
    method: 'GET',
    path: '/stores/:storeId',
    open: true,
    request: storeRequest,
    data: store,
    refuses: ['STORE_NOT_FOUND'],
  },
  addBook: {
    says: 'Puts a book on the shelf.',
    notes: 'Its owner only.',
    method: 'POST',
    path: '/stores/:storeId/books',
    status: 201,
    request: addBookRequest,
    data: book,
    refuses: ['STORE_NOT_FOUND', 'FORBIDDEN', 'BOOK_EXISTS'],
  },
  changeBook: {
    says: 'Changes what a book costs or how it is described.',
    notes:
      'Its owner only. What is left out stays as it is; orders keep the title and the price that they were placed at.',
    method: 'PATCH',
    path: '/stores/:storeId/books/:bookId',
    request: changeBookRequest,
    data: book,
    refuses: ['STORE_NOT_FOUND', 'FORBIDDEN', 'BOOK_NOT_FOUND'],
  },
  addStock: {
    says: 'Adds copies to the stock, or takes some away.',
    notes: `Its owner only. The stock goes neither below 0 nor above ${field.STOCK_MAX}.`,
    method: 'POST',
    path: '/stores/:storeId/books/:bookId/stock',
    request: addStockRequest,
    data: book,
    refuses: ['STORE_NOT_FOUND', 'FORBIDDEN', 'BOOK_NOT_FOUND', 'OUT_OF_STOCK'],
  },
  book: {
    says: 'Shows a book.',
    method: 'GET',
    path: '/stores/:storeId/books/:bookId',
    open: true,
    request: bookRequest,
    data: book,
    refuses: ['STORE_NOT_FOUND', 'BOOK_NOT_FOUND'],
  },
  storeBooks: {
    says: 'Searches the shelf of one store, or lists it.',
    method: 'GET',
    path: '/stores/:storeId/books',
    open: true,
    request: searchStoreRequest,
    numbers: ['limit'],
    data: field.page(book),
    refuses: ['STORE_NOT_FOUND'],
  },
  books: {
    says: 'Searches the shelves of all stores, or lists them.',
    method: 'GET',
    path: '/books',
    open: true,
    request: searchRequest,
    numbers: ['limit'],
    data: field.page(book),
  },
} as const satisfies Record<string, RouteRow>;
