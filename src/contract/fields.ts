import { z } from 'zod';
import { COUNT_MAX } from './shop.js';

/** Field types and their limits. A character is a Unicode code point. Money is an integer in minor units (fen, cents). */
export const PRICE_MAX = 10 ** 12;
export const AMOUNT_MAX = 10 ** 12;
export const BALANCE_MAX = Number.MAX_SAFE_INTEGER;
export const TOTAL_MAX = Number.MAX_SAFE_INTEGER;
export const STOCK_MAX = 1_000_000;
export const ACCEPT_WITHIN_SECONDS_MAX = 86_400;
export const ID_CHARACTERS_MAX = 64;
export const KEY_CHARACTERS_MAX = 64;
export const PAGE_LIMIT_MAX = 100;
export const PAGE_LIMIT_DEFAULT = 20;
export const CURSOR_CHARACTERS_MAX = 64;

const CONTROL = /\p{Cc}/u;
const FORMAT = /\p{Cf}/u;
/** Most ids and names match this: each code unit is a character, and none is a control character. */
const PRINTABLE_ASCII = /^[ -~]*$/;
const CONTROL_BUT_LINE_BREAKS = /(?![\r\n])\p{Cc}/u;

export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

interface TextRules {
  min?: number;
  lineBreaks?: boolean;
  controls?: boolean;
  trimmed?: boolean;
}

/** A text of `min` (default 1) to `max` characters. Control characters are rejected unless the rules allow them. */
export function text(max: number, { min = 1, lineBreaks = false, controls = false, trimmed = false }: TextRules = {}) {
  const forbidden = lineBreaks ? CONTROL_BUT_LINE_BREAKS : CONTROL;
  return z
    .string()
    .superRefine((value, context) => {
      const isWithin = value.length >= min && value.length <= max;
      if (isWithin && PRINTABLE_ASCII.test(value) && !(trimmed && value.trim() !== value)) return;
      const reject = (message: string) => context.addIssue({ code: 'custom', message });
      const length = characters(value);
      if (length < min || length > max) reject(`must have ${min} to ${max} characters`);
      // UTF-8 cannot encode a lone surrogate: the database would store a different text.
      if (!value.isWellFormed()) reject('must be well-formed Unicode');
      if (!controls && forbidden.test(value)) reject('must not contain control characters');
      if (trimmed && value.trim() !== value) reject('must not begin or end with white space');
    })
    .meta({ minLength: min, maxLength: max });
}

/** A whole number from `min` to `max`, as one custom check: a failure of zod's own would skip the enclosing array's checks. */
export function integer(min: number, max: number) {
  return z
    .number()
    .refine(
      (value) => Number.isSafeInteger(value) && value >= min && value <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** A text that the hub returns, with an example for the API documents. */
export function example(value: string) {
  return z.string().meta({ examples: [value] });
}

/** An id chosen by a user, compared byte for byte on every database. */
const id = text(ID_CHARACTERS_MAX, { trimmed: true });
/**
 * An id that a request creates: an id already stored is read by the rules of its time. Format characters are invisible, so the
 * id would look like another one; a URL cannot hold a dot segment, not even an encoded one.
 */
export const newId = id
  .refine((value) => !FORMAT.test(value), 'must not contain format characters')
  .refine((value) => value !== '.' && value !== '..', 'must not be . or ..');
export const userId = id.meta({ description: 'The user’s id, chosen at registration.', examples: ['lin'] });
export const storeId = id.meta({ description: 'The store’s id, chosen by its owner.', examples: ['corner-books'] });
export const bookId = id.meta({ description: 'The book’s id, unique within its store.', examples: ['three-body'] });

const NEW_ID_RULES = 'No control or format characters, and not `.` or `..`.';
export const newUserId = newId.meta({ description: `The user’s id. ${NEW_ID_RULES}`, examples: ['lin'] });
export const newStoreId = newId.meta({ description: `The store’s id. ${NEW_ID_RULES}`, examples: ['corner-books'] });
export const newBookId = newId.meta({
  description: `The book’s id, unique within its store. ${NEW_ID_RULES}`,
  examples: ['three-body'],
});

const ORDER_ID = '0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36';
/** An order's id in a request. Only its length is validated: a text that is no order's id is `ORDER_NOT_FOUND`. */
export const orderId = z
  .string()
  .refine((value) => characters(value) <= ID_CHARACTERS_MAX, `must have at most ${ID_CHARACTERS_MAX} characters`)
  .meta({ maxLength: ID_CHARACTERS_MAX, description: 'The order’s id.', examples: [ORDER_ID] });
export const generatedOrderId = example(ORDER_ID).describe(
  'The order’s id, a UUIDv7: ids sort by the time of placing.',
);

/** The minimum retention of idempotency keys. After it, the same request with the same key is a new command. */
export const KEYS_KEPT_DAYS = 7;

/** The idempotency key of a command. */
export const key = z
  .string()
  .regex(/^[!-~]{1,64}$/, `must be 1 to ${KEY_CHARACTERS_MAX} characters from ! to ~`)
  .meta({
    description: `The command’s idempotency key, chosen by the client and kept for at least ${KEYS_KEPT_DAYS} days. Sending the same request with the same key again returns the first answer.`,
    examples: ['7f0c2b9e-5a41-4d3e-8f6b-2c1d0e9a8b7c'],
  });
export const price = integer(0, PRICE_MAX).meta({ description: 'In minor units (fen, cents).', examples: [4_600] });
export const amount = integer(1, AMOUNT_MAX).meta({ examples: [20_000] });
export const total = integer(0, TOTAL_MAX).meta({ description: 'In minor units.', examples: [9_200] });
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .meta({ description: 'The currency of all amounts (ISO 4217).', examples: ['CNY'] });
export const count = integer(1, COUNT_MAX).meta({ description: 'The number of copies.', examples: [2] });
export const stock = integer(0, STOCK_MAX).meta({ description: 'The copies in stock.', examples: [12] });
export const acceptWithinSeconds = integer(0, ACCEPT_WITHIN_SECONDS_MAX).meta({
  description: 'How long a paid order waits to be accepted, in seconds.',
  examples: [0],
});
export const isOpen = z.boolean().meta({ examples: [true] });
export const limit = integer(1, PAGE_LIMIT_MAX).meta({
  description: `The largest number of items to return, ${PAGE_LIMIT_DEFAULT} by default.`,
  examples: [PAGE_LIMIT_DEFAULT],
});
export const cursor = text(CURSOR_CHARACTERS_MAX).describe('The `next` of the previous page.');
/** A time on the wire: ISO 8601 in UTC with milliseconds. */
export const time = z.iso.datetime({ precision: 3 }).meta({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
  examples: ['2026-03-01T08:30:00.000Z'],
});

/** One page of a list, and the cursor of the next one (null at the end). */
export function page<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().nullable().describe('The `after` of the next page; null at the end.'),
  });
}
export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** One batch formats the same few times over and over; without a cache that took 2.5 % of the cost of a `place`. */
const formatted = new Map<number, string>();
const FORMATTED_MAX = 16;

/** Formats a stored time (epoch milliseconds) for the wire. */
export function isoTime(epochMs: number): string;
export function isoTime(epochMs: number | null): string | null;
export function isoTime(epochMs: number | null): string | null {
  if (epochMs === null) return null;
  const cached = formatted.get(epochMs);
  if (cached !== undefined) return cached;
  const text = new Date(epochMs).toISOString();
  if (formatted.size === FORMATTED_MAX) formatted.clear();
  formatted.set(epochMs, text);
  return text;
}
