import { z } from 'zod';
import * as field from './fields.js';
import { operatorRights, rights } from './rights.js';
import { orderCommands, orderStatuses } from './transitions.js';

interface ErrorType {
  status: number;
  retryable: boolean;
  /** The shape of its `details`, if there are details. */
  details?: z.ZodType;
  /** When it occurs: the default message, and its line in the API documents. */
  when: string;
}

const fieldError = z.strictObject({
  path: z
    .string()
    .meta({ description: 'The dotted path of the field; empty for the whole request.', examples: ['items.1.count'] }),
  problem: z.string().meta({ examples: ['must be a whole number from 1 to 1000000'] }),
});
/** An invalid field: its dotted path (`items.1.count`) and what is wrong with it. */
export type FieldError = z.infer<typeof fieldError>;

const bookDetails = z.strictObject({ bookId: field.bookId });
const stockDetails = z.strictObject({ bookId: field.bookId, wanted: z.int(), available: field.stock });
const pauseDetails = z.strictObject({
  until: field.time.nullable().describe('Until when; null for until it opens.'),
});
const claimDetails = z.strictObject({
  by: field.userId.describe('Who is working on the order.'),
  until: field.time.describe('Until when, unless it is freed.'),
});
const orderDetails = z.strictObject({
  status: z.enum(orderStatuses),
  allowed: z.array(z.enum(orderCommands)).describe('The commands that the caller may send instead.'),
});
const linesDetails = z.strictObject({
  bookId: field.bookId,
  left: z.int().min(0).describe('How many copies of it the command could still be about.'),
});
const accountDetails = z.strictObject({
  open: z.int().min(0).describe('The number of the user’s open orders.'),
  balance: z.int().min(0),
});
const rightDetails = z.strictObject({ right: z.enum([...rights, ...operatorRights]).describe('The missing right.') });
const fundsDetails = z.strictObject({ needed: z.int().min(0), balance: z.int().describe('The caller’s balance.') });
const totalDetails = z.strictObject({ expected: field.total, actual: field.total });
const retryDetails = z.strictObject({
  retryAfterMs: z
    .int()
    .min(0)
    .meta({ description: 'How long to wait before a retry, in milliseconds.', examples: [1_500] }),
});
const logDetails = z.strictObject({ errorId: z.string().describe('The id of the entry in the hub’s log.') });

/** Every error of the contract: its HTTP status, and whether the same request with the same key may succeed later. */
export const errorTypes = {
  BAD_MESSAGE: {
    status: 400,
    retryable: false,
    when: 'The request is not valid.',
    details: z.array(fieldError),
  },
  UNKNOWN_MESSAGE: { status: 404, retryable: false, when: 'There is no message or route with this name.' },
  UNAUTHENTICATED: { status: 401, retryable: false, when: 'The token or password is missing or invalid.' },
  FORBIDDEN: { status: 403, retryable: false, when: 'You are not allowed to do this.', details: rightDetails },
  USER_NOT_FOUND: { status: 404, retryable: false, when: 'The store’s owner has unregistered.' },
  USER_EXISTS: { status: 409, retryable: false, when: 'This user id is taken.' },
  STORE_NOT_FOUND: { status: 404, retryable: false, when: 'This store does not exist.' },
  STORE_EXISTS: { status: 409, retryable: false, when: 'This store id is taken.' },
  BOOK_NOT_FOUND: {
    status: 404,
    retryable: false,
    when: 'This store has no book with this id.',
    details: bookDetails,
  },
  BOOK_EXISTS: {
    status: 409,
    retryable: false,
    when: 'This store already has a book with this id.',
    details: bookDetails,
  },
  OUT_OF_STOCK: { status: 409, retryable: false, when: 'There are not enough copies in stock.', details: stockDetails },
  STORE_PAUSED: {
    status: 409,
    retryable: false,
    when: 'This store takes no orders now.',
    details: pauseDetails,
  },
  ORDER_NOT_FOUND: { status: 404, retryable: false, when: 'This order does not exist.' },
  ORDER_STATE: {
    status: 409,
    retryable: false,
    when: 'The order’s status does not allow this.',
    details: z.union([orderDetails, linesDetails, accountDetails]),
  },
  CLAIMED: {
    status: 409,
    retryable: false,
    when: 'Another member of the staff is working on this order.',
    details: claimDetails,
  },
  INSUFFICIENT_FUNDS: {
    status: 402,
    retryable: false,
    when: 'The balance is too low.',
    details: fundsDetails,
  },
  PRICE_CHANGED: {
    status: 409,
    retryable: false,
    when: 'The total differs from the expected total.',
    details: totalDetails,
  },
  KEY_REUSED: { status: 422, retryable: false, when: 'This key was already used with a different request.' },
  NOT_FOUND: {
    status: 404,
    retryable: false,
    when: 'You have nothing with this id.',
    details: z.strictObject({
      what: z.string().describe('The kind of thing: `key`, `session`, `webhook`, `subscription`, `topup`, `member`.'),
    }),
  },
  RATE_LIMITED: { status: 429, retryable: true, when: 'Too many requests. Retry later.', details: retryDetails },
  OVERLOADED: {
    status: 503,
    retryable: true,
    when: 'The hub is overloaded and did not process the request. Retry later.',
    details: retryDetails,
  },
  UNAVAILABLE: {
    status: 503,
    retryable: true,
    when: 'The hub is temporarily unavailable. Retry with the same key.',
  },
  INTERNAL: { status: 500, retryable: true, when: 'An internal error occurred and was logged.', details: logDetails },
} as const satisfies Record<string, ErrorType>;

export type ErrorCode = keyof typeof errorTypes;
export const errorCodes = Object.keys(errorTypes) as [ErrorCode, ...ErrorCode[]];

/** Whether an error is stored under the command's key and replayed to every retry. Validation and retryable errors are not. */
export function isStoredUnderKey(code: ErrorCode): boolean {
  return !errorTypes[code].retryable && code !== 'BAD_MESSAGE' && code !== 'UNAUTHENTICATED';
}

/** The shape of every error: in acknowledgements, in HTTP bodies and in the `data` of a `connect_error`. */
export const errorBody = z.strictObject({
  code: z.enum(errorCodes).meta({ examples: ['ORDER_STATE'] }),
  message: z.string().meta({ description: 'A sentence for people.', examples: [errorTypes.ORDER_STATE.when] }),
  retryable: z.boolean().meta({
    description: 'Whether the same request with the same key may succeed later.',
    examples: [false],
  }),
  details: z.unknown().describe('Its shape depends on the code.').optional(),
});
const receivedBody = z.object({ ...errorBody.shape, code: z.string() });
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  details?: unknown;
}

/** The error that a hub has sent, perhaps one of a later release: an unknown code is passed on, unknown fields are ignored. */
export function readErrorBody(received: unknown): ErrorBody | undefined {
  return receivedBody.safeParse(received).data as ErrorBody | undefined;
}

/** The schema of one error code, with its `details`. */
export function errorSchema(code: ErrorCode) {
  const { retryable, when, details }: ErrorType = errorTypes[code];
  return z
    .strictObject({
      code: z.literal(code),
      message: z.string().meta({ description: 'A sentence for people.', examples: [when] }),
      retryable: z.literal(retryable),
      ...(details ? { details: details.optional() } : {}),
    })
    .describe(when);
}

/**
 * An error of the contract. The hub throws it to reject a request, and answers anything else that is thrown with `INTERNAL`;
 * the client library rejects a call with it. The client widens `Code` by `CLOSED`.
 */
export class HubError<Code extends string = ErrorCode> extends Error {
  /** Whether the same request with the same key may succeed later. */
  readonly retryable: boolean;

  constructor(
    readonly code: Code,
    message?: string,
    /** Depends on the code, for example `{ bookId, wanted, available }` for `OUT_OF_STOCK`. */
    readonly details?: unknown,
    retryable?: boolean,
  ) {
    const type = isErrorCode(code) ? errorTypes[code] : undefined;
    super(message ?? type?.when);
    this.name = 'HubError';
    this.retryable = retryable ?? type?.retryable ?? false;
  }

  /** The error in a hub's answer, with the hub's own message. */
  static fromBody({ code, message, retryable, details }: ErrorBody): HubError {
    return new HubError(code, message, details, retryable);
  }

  /** The body without an `Error`, for hot paths: capturing a stack costs more than the answer itself. */
  static body(code: ErrorCode, details?: unknown): ErrorBody {
    const { when: message, retryable } = errorTypes[code];
    return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
  }

  static badMessage(fieldErrors: FieldError[]): HubError {
    return new HubError('BAD_MESSAGE', undefined, fieldErrors);
  }

  toBody(): Omit<ErrorBody, 'code'> & { code: Code } {
    const { code, message, retryable, details } = this;
    return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTypes, code);
}
