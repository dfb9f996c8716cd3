import { z } from 'zod';
import * as field from './fields.js';

/* What an order's acceptance adds to the shapes of orders. */

/** Of an order: the next is `ORDER_STATE`. */
export const ACCEPTANCES_MAX = 200;
/** The `cancelReason` of an order that was not accepted in time. */
export const NOT_ACCEPTED_REASON = 'not accepted';

/** Acceptance is a time, not a status. */
export const acceptanceFields = {
  acceptBy: field.time.nullable().meta({
    description:
      'When a paid order that is not accepted is cancelled and refunded. Null until it is paid, and in stores that accept orders by themselves.',
    examples: [null],
  }),
  acceptedAt: field.time.nullable().meta({
    description:
      'When the seller accepted it, or shipped it without; where orders are accepted by themselves, `paidAt`.',
    examples: [null],
  }),
  readyAt: field.time.nullable().meta({ description: 'When the seller says that it will be ready.', examples: [null] }),
};

/** Any number of the order's books, each once; the order's own are at most a hundred. */
export function unavailableBooks(max: number) {
  return z
    .array(field.bookId)
    .max(max)
    .refine((list) => new Set(list).size === list.length, 'must not name a book twice')
    .meta({
      description: 'Seller only: books of the order that the store has run out of. Their stock becomes 0.',
      examples: [['three-body']],
    });
}
