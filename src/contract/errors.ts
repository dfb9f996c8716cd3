import { z } from 'zod';
import * as field from './fields.js';
import { orderCommands, orderStatuses } from './lifecycle.js';

interface RefusalRow {
  status: number;
  retryable: boolean;
  /** What the `details` of it hold, where it has some. */
  details?: z.ZodType;
  /** What the reader of the API documents is told; the message of a refusal says more where more is known. */
  when: string;
}

const fault = z.strictObject({
  path: z
    .string()
    .meta({ description: 'Where it is, dotted; empty for the message itself.', examples: ['items.1.count'] }),
  problem: z.string().meta({ examples: ['must be a whole number from 1 to 1000000'] }),
});
/** A fault in a message: where it is (dotted, `items.1.count`), and what is wrong there. */
export type Fault = z.infer<typeof fault>;

const whichBook = z.strictObject({ bookId: field.bookId });
const shortOfStock = z.strictObject({ bookId: field.bookId, wanted: z.int(), available: field.stock });
const wrongStatus = z.strictObject({
  status: z.enum(orderStatuses),
  allowed: z.array(z.enum(orderCommands)).describe('What the caller may do with the order instead.'),
});
const stillBound = z.strictObject({
  open: z.int().min(0).describe('How many open orders the user has.'),
  balance: z.int().min(0),
});
const shortOfMoney = z.strictObject({ needed: z.int().min(0), balance: z.int().describe('The caller’s own.') });
const otherTotal = z.strictObject({ expected: field.total, actual: field.total });
const waitFor = z.strictObject({
  retryAfterMs: z
    .int()
    .min(0)
    .meta({ examples: [1_500] }),
});
const logged = z.strictObject({ errorId: z.string().describe('The fault stands in the hub’s log under this id.') });

/** Every refusal that the hub knows: its HTTP status, and whether the same message with the same key can succeed later. */
export const refusals = {
  BAD_MESSAGE: {
    status: 400,
    retryable: false,
    when: 'The message does not have the shape that the contract asks for.',
    details: z.array(fault),
  },
  UNKNOWN_MESSAGE: { status: 404, retryable: false, when: 'There is no message or route of that name.' },
  UNAUTHENTICATED: { status: 401, retryable: false, when: 'The token or the password is missing or not valid.' },
  FORBIDDEN: { status: 403, retryable: false, when: 'This belongs to somebody else.' },
  USER_NOT_FOUND: { status: 404, retryable: false, when: 'The owner of the store has unregistered.' },
  USER_EXISTS: { status: 409, retryable: false, when: 'This user id is taken.' },
  STORE_NOT_FOUND: { status: 404, retryable: false, when: 'There is no such store.' },
  STORE_EXISTS: { status: 409, retryable: false, when: 'This store id is taken.' },
  BOOK_NOT_FOUND: {
    status: 404,
    retryable: false,
    when: 'The book is not on the shelf of this store.',
    details: whichBook,
  },
  BOOK_EXISTS: {
    status: 409,
    retryable: false,
    when: 'The store already has a book with this id.',
    details: whichBook,
  },
  OUT_OF_STOCK: { status: 409, retryable: false, when: 'There are not enough copies left.', details: shortOfStock },
  ORDER_NOT_FOUND: { status: 404, retryable: false, when: 'There is no such order.' },
  ORDER_STATE: {
    status: 409,
    retryable: false,
    when: 'The status of the order does not allow this.',
    details: z.union([wrongStatus, stillBound]),
  },
  INSUFFICIENT_FUNDS: {
    status: 402,
    retryable: false,
    when: 'Your balance is too small for this.',
    details: shortOfMoney,
  },
  PRICE_CHANGED: {
    status: 409,
    retryable: false,
    when: 'The total is not the one that you expected.',
    details: otherTotal,
  },
  KEY_REUSED: { status: 422, retryable: false, when: 'This key was used before, with another message.' },
  RATE_LIMITED: { status: 429, retryable: true, when: 'Too many messages; wait and send again.', details: waitFor },
  OVERLOADED: {
    status: 503,
    retryable: true,
    when: 'The hub has too much to do; nothing was done. Send again.',
    details: waitFor,
  },
  UNAVAILABLE: { status: 503, retryable: true, when: 'The hub cannot do this now. Send again with the same key.' },
  INTERNAL: { status: 500, retryable: true, when: 'The hub has a fault; it was logged.', details: logged },
} as const satisfies Record<string, RefusalRow>;

export type RefusalCode = keyof typeof refusals;
export const refusalCodes = Object.keys(refusals) as [RefusalCode, ...RefusalCode[]];

/** Whether a refusal uses up the key of its command: sent again with the key, the message is answered with it again. */
export function usesKeyUp(code: RefusalCode): boolean {
  return !refusals[code].retryable && code !== 'BAD_MESSAGE' && code !== 'UNAUTHENTICATED';
}

/** The one shape of an error, in an acknowledgement, in an HTTP body and in `connect_error`'s `data`. */
export const errorBody = z.strictObject({
  code: z.enum(refusalCodes).meta({ examples: ['ORDER_STATE'] }),
  message: z.string().meta({ description: 'A sentence for a person.', examples: [refusals.ORDER_STATE.when] }),
  retryable: z.boolean().meta({
    description: 'Whether the same message, with the same key, can succeed later.',
    examples: [false],
  }),
  details: z.unknown().describe('What it holds depends on the code.').optional(),
});
export interface ErrorBody {
  code: RefusalCode;
  message: string;
  retryable: boolean;
  details?: unknown;
}

/** The same for one code, with what its `details` hold. */
export function errorOf(code: RefusalCode) {
  const { retryable, when, details }: RefusalRow = refusals[code];
  return z
    .strictObject({
      code: z.literal(code),
      message: z.string().meta({ description: 'A sentence for a person.', examples: [when] }),
      retryable: z.literal(retryable),
      ...(details ? { details: details.optional() } : {}),
    })
    .describe(when);
}

/** An answer that says no. Everything else that is thrown is a fault of the hub, and is answered as `INTERNAL`. */
export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string = refusals[code].when,
    readonly details?: unknown,
  ) {
    super(message);
    this.name = 'Refusal';
  }

  /** The error that such a refusal would be, for where nothing is thrown: an Error notes where it came from, which is not cheap. */
  static body(code: RefusalCode, details?: unknown): ErrorBody {
    const { when: message, retryable } = refusals[code];
    return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
  }

  static badMessage(faults: Fault[]): Refusal {
    return new Refusal('BAD_MESSAGE', undefined, faults);
  }

  get status(): number {
    return refusals[this.code].status;
  }

  get retryable(): boolean {
    return refusals[this.code].retryable;
  }

  toBody(): ErrorBody {
    const { code, message, retryable, details } = this;
    return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
  }
}
