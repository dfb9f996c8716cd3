import { z } from 'zod';
import { countries } from './countries.js';
import * as field from './fields.js';

/*
 * What people write into an order: where to, and notes. These words stand in one row each (`order_addresses`, `order_notes`), which
 * nothing copies: no event, no answer of a command, no log.
 */
export const ADDRESS_LINES_MAX = 5;
export const PLACE_NOTE_CHARACTERS_MAX = 500;
export const NOTE_CHARACTERS_MAX = 2_000;
/** Of an order, with that of its placing. */
export const NOTES_MAX = 200;
export const READDRESSES_MAX = 200;
/** How long after an order's end its parties may still write. */
export const NOTES_OPEN_DAYS = 90;

const line = (max: number, description: string, example: string) =>
  field.text(max).meta({ description, examples: [example] });

export const deliverTo = z
  .strictObject({
    name: line(200, 'Who receives it.', '林小雨'),
    lines: z
      .array(field.text(200))
      .min(1)
      .max(ADDRESS_LINES_MAX)
      .meta({ description: 'Street, house, door: as on a label.', examples: [['南京东路 100 号', '3 单元 502']] }),
    city: line(100, 'The city.', '上海').optional(),
    region: line(100, 'The province or state.', '上海市').optional(),
    postcode: line(20, 'The postcode.', '200001').optional(),
    country: z
      .enum(countries as [string, ...string[]], 'must be the two capital letters of a country (ISO 3166)')
      .meta({ description: 'The country: two capital letters of ISO 3166.', examples: ['CN'] })
      .optional(),
    phone: line(40, 'For the carrier’s call.', '+86 21 5555 0100').optional(),
  })
  .describe('Where the order is to be delivered.');
export type DeliverTo = z.infer<typeof deliverTo>;

export const placeNote = field
  .text(PLACE_NOTE_CHARACTERS_MAX, { lineBreaks: true })
  .meta({ description: 'A note to the seller: the first of the order’s `notes`.', examples: ['Please gift-wrap it.'] });
export const noteText = field
  .text(NOTE_CHARACTERS_MAX, { lineBreaks: true })
  .meta({ description: 'The note; it may hold line breaks.', examples: ['The bell does not ring, please knock.'] });

export const shownDeliverTo = deliverTo
  .nullable()
  .describe('Where it is to be delivered; null if that was not said, or is erased.');
export const note = z.strictObject({
  no: z
    .int()
    .min(1)
    .max(NOTES_MAX)
    .meta({ description: 'The order’s notes count 1, 2, 3 …', examples: [1] }),
  by: field.example('lin').describe('Who wrote it.'),
  text: noteText.nullable().describe('Null once it is erased.'),
  at: field.time.describe('When it was written.'),
});
export type Note = z.infer<typeof note>;
