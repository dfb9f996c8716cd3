import { z } from 'zod';

/**
 * The kinds of field that the contract's shapes are made of, each with its limits. A character is a Unicode code point.
 * Money is an integer in minor units (fen, cents).
 */
export const PRICE_MAX = 10 ** 12;
export const AMOUNT_MAX = 10 ** 12;
export const BALANCE_MAX = Number.MAX_SAFE_INTEGER;
export const TOTAL_MAX = Number.MAX_SAFE_INTEGER;
export const COUNT_MAX = 1_000_000;
export const STOCK_MAX = 1_000_000;
export const ID_CHARACTERS_MAX = 64;
export const KEY_CHARACTERS_MAX = 64;
export const PAGE_LIMIT_MAX = 100;
export const PAGE_LIMIT_DEFAULT = 20;
export const CURSOR_CHARACTERS_MAX = 64;

const CONTROL = /\p{Cc}/u;
/** What most ids and names are made of: a character a code unit, none of them a control character. */
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

/** A text of `min` (1 unless told) to `max` characters; without control characters unless told. */
export function text(max: number, { min = 1, lineBreaks = false, controls = false, trimmed = false }: TextRules = {}) {
  const forbidden = lineBreaks ? CONTROL_BUT_LINE_BREAKS : CONTROL;
  return z
    .string()
    .superRefine((value, context) => {
      const isWithin = value.length >= min && value.length <= max;
      if (isWithin && PRINTABLE_ASCII.test(value) && !(trimmed && value.trim() !== value)) return;
      const fault = (message: string) => context.addIssue({ code: 'custom', message });
      const length = characters(value);
      if (length < min || length > max) fault(`must have ${min} to ${max} characters`);
      // A lone surrogate cannot be stored as UTF-8: the database would keep another text than the one sent.
      if (!value.isWellFormed()) fault('must be well-formed Unicode');
      if (!controls && forbidden.test(value)) fault('must not hold control characters');
      if (trimmed && value.trim() !== value) fault('must not begin or end with white space');
    })
    .meta({ minLength: min, maxLength: max });
}

/** A whole number from `min` to `max`. One check, because zod's own stop those of the list that the number stands in. */
export function integer(min: number, max: number) {
  return z
    .number()
    .refine(
      (value) => Number.isSafeInteger(value) && value >= min && value <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** A text that the hub gives, with a value that the API documents show. */
export function example(value: string) {
  return z.string().meta({ examples: [value] });
}

/** An id that a user chose: compared byte for byte, on every database. */
const id = text(ID_CHARACTERS_MAX, { trimmed: true });
export const userId = id.meta({ description: 'The id that a user chose.', examples: ['lin'] });
export const storeId = id.meta({ description: 'The id that the owner gave the store.', examples: ['corner-books'] });
export const bookId = id.meta({ description: 'The id of a book, within its store.', examples: ['three-body'] });

const ORDER_ID = '0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36';
/** An order's id. Any text that the hub did not give is an order that is not there, so only its length is checked. */
export const orderId = z
  .string()
  .refine((value) => characters(value) <= ID_CHARACTERS_MAX, `must have at most ${ID_CHARACTERS_MAX} characters`)
  .meta({ maxLength: ID_CHARACTERS_MAX, description: 'The id that the hub gave the order.', examples: [ORDER_ID] });
export const givenOrderId = example(ORDER_ID).describe('Given by the hub; sorts by the time of placing (UUIDv7).');

/** The answer to a key is kept so long at least: sent again later, the same message is a new command. */
export const KEYS_KEPT_DAYS = 7;

/** The idempotency key of a command. */
export const key = z
  .string()
  .regex(/^[!-~]{1,64}$/, `must be 1 to ${KEY_CHARACTERS_MAX} characters from ! to ~`)
  .meta({
    description: `The command's name for exactly-once: chosen by the client, kept for ${KEYS_KEPT_DAYS} days. The same key with the same message gives the first answer again.`,
    examples: ['7f0c2b9e-5a41-4d3e-8f6b-2c1d0e9a8b7c'],
  });
export const price = integer(0, PRICE_MAX).meta({ description: 'In minor units (fen, cents).', examples: [4_600] });
export const amount = integer(1, AMOUNT_MAX).meta({ examples: [20_000] });
export const total = integer(0, TOTAL_MAX).meta({ description: 'In minor units.', examples: [9_200] });
export const count = integer(1, COUNT_MAX).meta({ description: 'How many copies.', examples: [2] });
export const stock = integer(0, STOCK_MAX).meta({ description: 'How many copies are left.', examples: [12] });
export const limit = integer(1, PAGE_LIMIT_MAX).meta({
  description: `How many at most; ${PAGE_LIMIT_DEFAULT} unless told.`,
  examples: [PAGE_LIMIT_DEFAULT],
});
export const cursor = text(CURSOR_CHARACTERS_MAX).describe('The `next` of the page before.');
/** A time on the wire: ISO 8601, UTC, with milliseconds. */
export const time = z.iso.datetime({ precision: 3 }).meta({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
  examples: ['2026-03-01T08:30:00.000Z'],
});

/** What every list gives: one page, and where the next one starts (null at the end). */
export function page<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().nullable().describe('Give it as `after` for the next page; null at the end.'),
  });
}
export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** A batch tells the same moments again and again: writing them anew was a fortieth of what a `place` costs the hub. */
const written = new Map<number, string>();
const WRITTEN_MAX = 16;

/** How the times that the hub keeps (epoch milliseconds) are written on the wire. */
export function isoTime(epochMs: number): string;
export function isoTime(epochMs: number | null): string | null;
export function isoTime(epochMs: number | null): string | null {
  if (epochMs === null) return null;
  const known = written.get(epochMs);
  if (known !== undefined) return known;
  const text = new Date(epochMs).toISOString();
  if (written.size === WRITTEN_MAX) written.clear();
  written.set(epochMs, text);
  return text;
}
