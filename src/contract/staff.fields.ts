import { z } from 'zod';
import * as field from './fields.js';

export const CLAIM_SECONDS_MAX = 900;

const claim = z
  .strictObject({
    by: field.userId.describe('Who is working on the order.'),
    until: field.time.describe('Until when, unless it is freed or claimed again.'),
  })
  .nullable();

/** What an order gains where several people work on it. */
export const staffFields = {
  seenAt: field.time.nullable().meta({ description: 'When somebody of the shop first saw it.', examples: [null] }),
  claim: claim.meta({
    description:
      'Who of the shop is working on it: until then, other members of the staff cannot ship, accept, cancel or refund it. Null when it is free, and always for the buyer.',
    examples: [null],
  }),
};
