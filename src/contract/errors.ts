import { z } from 'zod';

interface RefusalRow {
  status: number;
  retryable: boolean;
  /** What the reader of the API documents is told; the message of a refusal says more where more is known. */
  when: string;
}

/** Every refusal that the hub knows: its HTTP status, and whether the same message with the same key can succeed later. */
export const refusals = {
  BAD_MESSAGE: {
    status: 400,
    retryable: false,
    when: 'The message does not have the shape that the contract asks for.',
  },
  UNKNOWN_MESSAGE: { status: 404, retryable: false, when: 'There is no message or route of that name.' },
  UNAUTHENTICATED: { status: 401, retryable: false, when: 'The token or the password is missing or not valid.' },
  FORBIDDEN: { status: 403, retryable: false, when: 'This belongs to somebody else.' },
  USER_NOT_FOUND: { status: 404, retryable: false, when: 'The owner of the store has unregistered.' },
  USER_EXISTS: { status: 409, retryable: false, when: 'This user id is taken.' },
  STORE_NOT_FOUND: { status: 404, retryable: false, when: 'There is no such store.' },
  STORE_EXISTS: { status: 409, retryable: false, when: 'This store id is taken.' },
  BOOK_NOT_FOUND: { status: 404, retryable: false, when: 'The book is not on the shelf of this store.' },
  BOOK_EXISTS: { status: 409, retryable: false, when: 'The store already has a book with this id.' },
  OUT_OF_STOCK: { status: 409, retryable: false, when: 'There are not enough copies left.' },
  ORDER_NOT_FOUND: { status: 404, retryable: false, when: 'There is no such order.' },
  ORDER_STATE: { status: 409, retryable: false, when: 'The status of the order does not allow this.' },
  INSUFFICIENT_FUNDS: { status: 402, retryable: false, when: 'Your balance is too small for this.' },
  PRICE_CHANGED: { status: 409, retryable: false, when: 'The total is not the one that you expected.' },
  KEY_REUSED: { status: 422, retryable: false, when: 'This key was used before, with another message.' },
  RATE_LIMITED: { status: 429, retryable: true, when: 'Too many messages; wait and send again.' },
  OVERLOADED: { status: 503, retryable: true, when: 'The hub has too much to do; nothing was done. Send again.' },
  UNAVAILABLE: { status: 503, retryable: true, when: 'The hub cannot do this now. Send again with the same key.' },
  INTERNAL: { status: 500, retryable: true, when: 'The hub has a fault; it was logged.' },
} as const satisfies Record<string, RefusalRow>;

export type RefusalCode = keyof typeof refusals;

/** The one shape of an error, in an acknowledgement, in an HTTP body and in `connect_error`'s `data`. */
export const errorBody = z.strictObject({
  code: z.enum(Object.keys(refusals) as [RefusalCode, ...RefusalCode[]]),
  message: z.string(),
  retryable: z.boolean(),
  details: z.unknown().optional(),
});
export interface ErrorBody {
  code: RefusalCode;
  message: string;
  retryable: boolean;
  details?: unknown;
}

/** A fault in a message: where it is (dotted, `items.1.count`), and what is wrong there. */
export interface Fault {
  path: string;
  problem: string;
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
