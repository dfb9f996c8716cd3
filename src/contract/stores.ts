import { z } from 'zod';
import { coverUrl, details } from './book.fields.js';
import * as field from './fields.js';
import type { RouteRow } from './row.js';
import { searchFields } from './shop.js';

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
export const storeName = field
  .text(NAME_CHARACTERS_MAX)
  .meta({ description: 'The display name.', examples: ['Corner Books'] });

/** The optional fields of a book. */
const optionalBookFields = {
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
    .meta({ description: 'May contain line breaks.', examples: ['An answer comes from the stars.'] })
    .optional(),
  coverUrl: coverUrl.optional(),
  lowMark: field.stock
    .meta({
      description: `The stock at which \`book:stock\` alerts the owner, ${LOW_MARK_DEFAULT} by default.`,
      examples: [LOW_MARK_DEFAULT],
    })
    .optional(),
  details: details.optional(),
};

export const openStoreRequest = z.strictObject({ storeId: field.newStoreId, name: storeName.optional() });
export const store = z.strictObject({
  storeId: field.storeId,
  name: field.example('Corner Books').nullable(),
  ownerId: field.userId.meta({ description: 'The user who owns the store.', examples: ['mei'] }),
  createdAt: field.time.describe('When the store was created.'),
  acceptWithinSeconds: field.acceptWithinSeconds.describe(
    'How long a paid order waits to be accepted before it is cancelled and refunded; 0 where orders are accepted by themselves.',
  ),
  open: field.isOpen.describe('Whether it takes orders, unless it is paused.'),
  pausedUntil: field.time
    .nullable()
    .meta({ description: 'Until when it takes no orders; null where it is not paused.', examples: [null] }),
});
export const storeRequest = z.strictObject({ storeId: field.storeId });
export const storesRequest = z.strictObject({
  owner: field.userId.meta({ description: 'Only stores owned by this user.', examples: ['mei'] }).optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});

export const addBookRequest = z.strictObject({
  storeId: field.storeId,
  bookId: field.newBookId,
  title,
  price: field.price,
  stock: field.stock,
  ...optionalBookFields,
});
export const changeBookRequest = z.strictObject({
  storeId: field.storeId,
  bookId: field.bookId,
  title: title.optional(),
  price: field.price.optional(),
  ...optionalBookFields,
  listed: z
    .boolean()
    .meta({ description: 'Whether it is in lists and searches and can be ordered.', examples: [true] })
    .optional(),
});
export const addStockRequest = z.strictObject({
  storeId: field.storeId,
  bookId: field.bookId,
  // Any size: the resulting stock is what is limited.
  add: field
    .integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    .refine((add) => add !== 0, 'must not be 0')
    .meta({
      not: { const: 0 },
      description: 'The number of copies to add; negative to remove. Not 0.',
      examples: [20],
    }),
  key: field.key.optional(),
});
export const bookRequest = z.strictObject({ storeId: field.storeId, bookId: field.bookId });

export const searchRequest = z.strictObject({
  q: field
    .text(QUERY_CHARACTERS_MAX, { min: 0 })
    .meta({
      description: 'Words or parts of words, in any language and letter case; or an ISBN, with or without hyphens.',
      examples: ['三体'],
    })
    .optional(),
  field: z.enum(searchFields).describe('Search this field only; by default, all of them.').optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});
export const searchStoreRequest = searchRequest.extend({ storeId: field.storeId });

/** A book of a store. Optional fields without a value are omitted. */
export const book = z.strictObject({
  storeId: field.storeId,
  bookId: field.bookId,
  title: field.example('The Three-Body Problem 三体'),
  price: field.price,
  stock: z
    .int()
    .min(0)
    .meta({ description: 'The copies in stock.', examples: [12] }),
  lowMark: field.stock.meta({
    description: 'The stock at which `book:stock` alerts the owner.',
    examples: [LOW_MARK_DEFAULT],
  }),
  listed: z.boolean().meta({
    description: 'False for a book that is in no list or search and cannot be ordered.',
    examples: [true],
  }),
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
export type AddStockRequest = z.infer<typeof addStockRequest>;
export type BookView = z.infer<typeof book>;

export const storeRoutes = {
  openStore: {
    summary: 'Opens a store, owned by the caller.',
    method: 'POST',
    path: '/stores',
    status: 201,
    right: 'stock',
    request: openStoreRequest,
    data: store,
    errors: ['STORE_EXISTS'],
  },
  stores: {
    summary: 'Lists stores.',
    method: 'GET',
    path: '/stores',
    isPublic: true,
    request: storesRequest,
    numericQuery: ['limit'],
    data: field.page(store),
  },
  store: {
    summary: 'Shows a store.',
    method: 'GET',
    path: '/stores/:storeId',
    isPublic: true,
    request: storeRequest,
    data: store,
    errors: ['STORE_NOT_FOUND'],
  },
  addBook: {
    summary: 'Adds a book to a store.',
    description: 'Store owner only.',
    method: 'POST',
    path: '/stores/:storeId/books',
    status: 201,
    right: 'stock',
    request: addBookRequest,
    data: book,
    errors: ['STORE_NOT_FOUND', 'FORBIDDEN', 'BOOK_EXISTS'],
  },
  changeBook: {
    summary: 'Changes the price or the description of a book.',
    description:
      'Store owner only. Omitted fields stay unchanged; existing orders keep the title and price at which they were placed. A book that is not `listed` is in no list or search and cannot be ordered; orders that hold it go on.',
    method: 'PATCH',
    path: '/stores/:storeId/books/:bookId',
    right: 'stock',
    request: changeBookRequest,
    data: book,
    errors: ['STORE_NOT_FOUND', 'FORBIDDEN', 'BOOK_NOT_FOUND'],
  },
  addStock: {
    summary: 'Adds copies to the stock, or removes some.',
    description: `Store owner only. The stock stays between 0 and ${field.STOCK_MAX}.`,
    method: 'POST',
    path: '/stores/:storeId/books/:bookId/stock',
    right: 'stock',
    request: addStockRequest,
    data: book,
    errors: ['STORE_NOT_FOUND', 'FORBIDDEN', 'BOOK_NOT_FOUND', 'OUT_OF_STOCK'],
  },
  book: {
    summary: 'Shows a book, also one that is not listed.',
    method: 'GET',
    path: '/stores/:storeId/books/:bookId',
    isPublic: true,
    request: bookRequest,
    data: book,
    errors: ['STORE_NOT_FOUND', 'BOOK_NOT_FOUND'],
  },
  storeBooks: {
    summary: 'Searches or lists the books of one store.',
    method: 'GET',
    path: '/stores/:storeId/books',
    isPublic: true,
    request: searchStoreRequest,
    numericQuery: ['limit'],
    data: field.page(book),
    errors: ['STORE_NOT_FOUND'],
  },
  books: {
    summary: 'Searches or lists the books of all stores.',
    method: 'GET',
    path: '/books',
    isPublic: true,
    request: searchRequest,
    numericQuery: ['limit'],
    data: field.page(book),
  },
} as const satisfies Record<string, RouteRow>;
