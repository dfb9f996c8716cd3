import { z } from 'zod';
import * as field from './fields.js';

/** The two fields of a book that need more than a length limit. */
export const COVER_URL_CHARACTERS_MAX = 2_000;
export const DETAILS_FIELDS_MAX = 50;
export const DETAILS_BYTES_MAX = 16_384;

/** An absolute http(s) URL, or a path on the site that shows it. Pages embed the URL, so no other scheme is accepted. */
function isCoverUrl(value: string): boolean {
  // A protocol-relative URL looks like a path but names another host.
  if (/^[\\/]{2}/.test(value)) return false;
  const base = 'http://path.invalid';
  if (!URL.canParse(value, base)) return false;
  const { protocol, origin } = new URL(value, base);
  return /^https?:\/\//i.test(value) || (protocol === 'http:' && origin === base);
}

export const coverUrl = field
  .text(COVER_URL_CHARACTERS_MAX)
  .refine(isCoverUrl, 'must be an http or https address, or a path')
  .meta({ description: 'An http or https URL, or a path.', examples: ['/covers/three-body.jpg'] });

/** Free-form fields, not nested. Validated by hand because a record schema silently drops a field named `__proto__`. */
export const details = z
  .custom<Record<string, string | number | boolean>>()
  .superRefine((value: unknown, context) => {
    const reject = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path });
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return reject('must be an object');
    const fields = Object.entries(value);
    if (fields.length > DETAILS_FIELDS_MAX) return reject(`must have at most ${DETAILS_FIELDS_MAX} fields`);
    for (const [name, content] of fields) {
      if (name === '' || name === '__proto__' || !field.text(DETAILS_BYTES_MAX).safeParse(name).success) {
        reject('is not a valid field name', [name]);
      } else if (typeof content === 'string') {
        const text = field.text(DETAILS_BYTES_MAX, { min: 0, lineBreaks: true }).safeParse(content);
        for (const issue of text.error?.issues ?? []) reject(issue.message, [name]);
      } else if (typeof content !== 'boolean' && !(typeof content === 'number' && Number.isFinite(content))) {
        reject('must be a text, a number or a boolean', [name]);
      }
    }
    if (new TextEncoder().encode(JSON.stringify(value)).length > DETAILS_BYTES_MAX) {
      reject(`must be at most ${DETAILS_BYTES_MAX} bytes of JSON`);
    }
  })
  .meta({
    type: 'object',
    maxProperties: DETAILS_FIELDS_MAX,
    additionalProperties: { type: ['string', 'number', 'boolean'] },
    description: `Anything else about the book: texts, numbers and booleans, not nested, up to ${DETAILS_BYTES_MAX} bytes of JSON.`,
    examples: [{ pages: 302, hardcover: false }],
  });
