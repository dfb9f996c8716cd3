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

/** An id that a user chose: compared byte for byte, on every database. */
export const id = text(ID_CHARACTERS_MAX, { trimmed: true });
/** An order's id. Any text that the hub did not give is an order that is not there, so only its length is checked. */
export const orderId = z
  .string()
  .refine((value) => characters(value) <= ID_CHARACTERS_MAX, `must have at most ${ID_CHARACTERS_MAX} characters`)
  .meta({ maxLength: ID_CHARACTERS_MAX });
/** The answer to a key is kept so long at least: sent again later, the same message is a new command. */
export const KEYS_KEPT_DAYS = 7;

/** The idempotency key of a command. */
export const key = z.string().regex(/^[!-~]{1,64}$/, `must be 1 to ${KEY_CHARACTERS_MAX} characters from ! to ~`);
export const price = integer(0, PRICE_MAX);
export const amount = integer(1, AMOUNT_MAX);
export const total = integer(0, TOTAL_MAX);
export const count = integer(1, COUNT_MAX);
export const stock = integer(0, STOCK_MAX);
export const limit = integer(1, PAGE_LIMIT_MAX);
export const cursor = text(CURSOR_CHARACTERS_MAX);
/** A time on the wire: ISO 8601, UTC, with milliseconds. */
export const time = z.iso.datetime({ precision: 3 });

/** What every list gives: one page, and where the next one starts (null at the end). */
export function page<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() });
}
export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** How the times that the hub keeps (epoch milliseconds) are written on the wire. */
export function isoTime(epochMs: number): string;
export function isoTime(epochMs: number | null): string | null;
export function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
