import { z } from 'zod';
import * as field from './fields.js';

export const ORDER_QUERY_CHARACTERS_MIN = 2;
export const ORDER_QUERY_CHARACTERS_MAX = 200;
export const LISTED_IDS_MAX = 100;

/** A time that has passed or not. */
export const filterTime = field.time.describe('A time.');

export const orderIds = z
  .string()
  .refine(areIds, `must be 1 to ${LISTED_IDS_MAX} ids, each of at most ${field.ID_CHARACTERS_MAX} characters`)
  .meta({
    description: `Only these orders: up to ${LISTED_IDS_MAX} ids, with commas between them.`,
    examples: ['0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36'],
  });

/** What narrows a list of orders down, besides its role, status and store. */
export const orderFilters = {
  from: filterTime.describe('Only orders placed at this time or later.').optional(),
  to: filterTime.describe('Only orders placed before this time.').optional(),
  q: field
    .text(ORDER_QUERY_CHARACTERS_MAX, { min: ORDER_QUERY_CHARACTERS_MIN })
    .meta({
      description:
        'Finds the order’s number, the end of its id, the other party’s id, a tracking number, or words or parts of words of a title in it, in any letter case. A page may hold fewer orders than `limit`; `next` leads on.',
      examples: ['三体'],
    })
    .optional(),
  ids: orderIds.optional(),
};

function areIds(text: string): boolean {
  const ids = text.split(',', LISTED_IDS_MAX + 1);
  const isId = (id: string) => id !== '' && field.characters(id) <= field.ID_CHARACTERS_MAX;
  return text.isWellFormed() && ids.length <= LISTED_IDS_MAX && ids.every(isId);
}
