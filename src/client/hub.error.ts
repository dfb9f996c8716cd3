import { type ErrorBody, Refusal, type RefusalCode } from '../contract/errors.js';
import { parse } from '../contract/parse.js';

/**
 * Every no that a caller is given: the hub's refusals, word for word, and `CLOSED` from a client that was closed.
 * `details` holds what the code says that it does, for example `{ bookId, wanted, available }` of `OUT_OF_STOCK`.
 */
export class HubError extends Error {
  readonly code: RefusalCode | 'CLOSED';
  /** Whether the same message with the same key can succeed when it is sent again. */
  readonly retryable: boolean;
  readonly details: unknown;

  constructor({ code, message, retryable, details }: Omit<ErrorBody, 'code'> & { code: HubError['code'] }) {
    super(message);
    this.name = 'HubError';
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}

/** Reads a message as the hub would, and refuses in its words what could only be refused there: it is never sent. */
export function checked(...[schema, message]: Parameters<typeof parse>): object {
  try {
    return parse(schema, message) as object;
  } catch (error) {
    throw error instanceof Refusal ? new HubError(error.toBody()) : error;
  }
}
