import { z } from 'zod';
import * as field from './fields.js';

export const TITLE_CHARACTERS_MAX = 500;
export const NAME_CHARACTERS_MAX = 500;
export const AUTHOR_CHARACTERS_MAX = 300;
export const ISBN_CHARACTERS_MAX = 32;
export const TAGS_MAX = 20;
export const TAG_CHARACTERS_MAX = 64;
export const SUMMARY_CHARACTERS_MAX = 20_000;
export const COVER_URL_CHARACTERS_MAX = 2_000;
export const DETAILS_FIELDS_MAX = 50;
export const DETAILS_BYTES_MAX = 16_384;
export const LOW_MARK_DEFAULT = 5;
export const QUERY_CHARACTERS_MAX = 500;

/** A cover is at an http or https address, or at a path of the site that shows it; nothing else is ever put into a page. */
function isCoverUrl(value: string): boolean {
  // Begins like a path, and leads to another host.
  if (/^[\\/]{2}/.test(value)) return false;
  const base = 'http://path.invalid';
  if (!URL.canParse(value, base)) return false;
  const { protocol, origin } = new URL(value, base);
  return /^https?:\/\//i.test(value) || (protocol === 'http:' && origin === base);
}

/** Anything else about the book, flat. Read by hand: a record schema would drop a field called `__proto__` in silence. */
const details = z.custom<Record<string, string | number | boolean>>().superRefine((value: unknown, context) => {
  const fault = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path });
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return fault('must be an object');
  const fields = Object.entries(value);
  if (fields.length > DETAILS_FIELDS_MAX) return fault(`must have at most ${DETAILS_FIELDS_MAX} fields`);
  for (const [name, content] of fields) {
    if (name === '' || name === '__proto__' || !field.text(NAME_CHARACTERS_MAX).safeParse(name).success) {
      fault('is not a name for a field', [name]);
    } else if (typeof content === 'string') {
      const text = field.text(DETAILS_BYTES_MAX, { min: 0, lineBreaks: true }).safeParse(content);
      for (const issue of text.error?.issues ?? []) fault(issue.message, [name]);
    } else if (typeof content !== 'boolean' && !(typeof content === 'number' && Number.isFinite(content))) {
      fault('must be a text, a number or a boolean', [name]);
    }
  }
  if (new TextEncoder().encode(JSON.stringify(value)).length > DETAILS_BYTES_MAX) {
    fault(`must be at most ${DETAILS_BYTES_MAX} bytes of JSON`);
  }
});

const description = {
  author: field.text(AUTHOR_CHARACTERS_MAX).optional(),
  publisher: field.text(AUTHOR_CHARACTERS_MAX).optional(),
  isbn: field.text(ISBN_CHARACTERS_MAX).optional(),
  tags: z.array(field.text(TAG_CHARACTERS_MAX)).max(TAGS_MAX).optional(),
  summary: field.text(SUMMARY_CHARACTERS_MAX, { lineBreaks: true }).optional(),
  coverUrl: field
    .text(COVER_URL_CHARACTERS_MAX)
    .refine(isCoverUrl, 'must be an http or https address, or a path')
    .optional(),
  lowMark: field.stock.optional(),
  details: details.optional(),
};

export const openStoreRequest = z.strictObject({ storeId: field.id, name: field.text(NAME_CHARACTERS_MAX).optional() });
export const store = z.strictObject({
  storeId: field.id,
  name: z.string().nullable(),
  ownerId: field.id,
  createdAt: field.time,
});
export const storeRequest = z.strictObject({ storeId: field.id });
export const storesRequest = z.strictObject({
  owner: field.id.optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});

export const addBookRequest = z.strictObject({
  storeId: field.id,
  bookId: field.id,
  title: field.text(TITLE_CHARACTERS_MAX),
  price: field.price,
  stock: field.stock,
  ...description,
});
export const changeBookRequest = z.strictObject({
  storeId: field.id,
  bookId: field.id,
  title: field.text(TITLE_CHARACTERS_MAX).optional(),
  price: field.price.optional(),
  ...description,
});
export const addStockRequest = z.strictObject({
  storeId: field.id,
  bookId: field.id,
  // How far it may go is for the stock to say.
  add: field.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).refine((add) => add !== 0, 'must not be 0'),
  key: field.key.optional(),
});
export const bookRequest = z.strictObject({ storeId: field.id, bookId: field.id });

/** The fields that a search looks into. */
export const searchFields = ['title', 'author', 'tags', 'summary'] as const;
export type SearchField = (typeof searchFields)[number];

export const searchRequest = z.strictObject({
  q: field.text(QUERY_CHARACTERS_MAX, { min: 0 }).optional(),
  field: z.enum(searchFields).optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});
export const searchStoreRequest = searchRequest.extend({ storeId: field.id });

/** A book on the shelf of a store. Optional fields that were not given are left out. */
export const book = z.strictObject({
  storeId: field.id,
  bookId: field.id,
  title: z.string(),
  price: field.price,
  stock: z.int().min(0),
  lowMark: field.stock,
  author: z.string().optional(),
  publisher: z.string().optional(),
  isbn: z.string().optional(),
  tags: z.array(z.string()).optional(),
  summary: z.string().optional(),
  coverUrl: z.string().optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

export type OpenStoreRequest = z.infer<typeof openStoreRequest>;
export type StoreView = z.infer<typeof store>;
export type StoresRequest = z.infer<typeof storesRequest>;
export type AddBookRequest = z.infer<typeof addBookRequest>;
export type ChangeBookRequest = z.infer<typeof changeBookRequest>;
export type BookRequest = z.infer<typeof bookRequest>;
export type SearchRequest = z.infer<typeof searchRequest> & { storeId?: string };
export type BookView = z.infer<typeof book>;
