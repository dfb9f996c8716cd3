import { z } from 'zod';
import * as field from './fields.js';

/** The two fields of a book that a limit of length does not describe. */
export const COVER_URL_CHARACTERS_MAX = 2_000;
export const DETAILS_FIELDS_MAX = 50;
export const DETAILS_BYTES_MAX = 16_384;

/** A cover is at an http or https address, or at a path of the site that shows it; nothing else is ever put into a page. */
function isCoverUrl(value: string): boolean {
  // Begins like a path, and leads to another host.
  if (/^[\\/]{2}/.test(value)) return false;
  const base = 'http://path.invalid';
  if (!URL.canParse(value, base)) return false;
  const { protocol, origin } = new URL(value, base);
  return /^https?:\/\//i.test(value) || (protocol === 'http:' && origin === base);
}

export const coverUrl = field
  .text(COVER_URL_CHARACTERS_MAX)
  .refine(isCoverUrl, 'must be an http or https address, or a path')
  .meta({ description: 'An http or https address, or a path.', examples: ['/covers/three-body.jpg'] });

/** Anything else about the book, flat. Read by hand: a record schema would drop a field called `__proto__` in silence. */
export const details = z
  .custom<Record<string, string | number | boolean>>()
  .superRefine((value: unknown, context) => {
    const fault = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path });
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return fault('must be an object');
    const fields = Object.entries(value);
    if (fields.length > DETAILS_FIELDS_MAX) return fault(`must have at most ${DETAILS_FIELDS_MAX} fields`);
    for (const [name, content] of fields) {
      if (name === '' || name === '__proto__' || !field.text(DETAILS_BYTES_MAX).safeParse(name).success) {
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
  })
  .meta({
    type: 'object',
    maxProperties: DETAILS_FIELDS_MAX,
    additionalProperties: { type: ['string', 'number', 'boolean'] },
    description: `Anything else about the book, flat: texts, numbers, booleans, up to ${DETAILS_BYTES_MAX} bytes of JSON.`,
    examples: [{ pages: 302, hardcover: false }],
  });
