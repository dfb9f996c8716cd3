import { z } from 'zod';
import type { ErrorCode } from './errors.js';
import type { AnyRight } from './rights.js';

/** What messages and routes have in common. The API documents and their page are generated from these rows. */
export interface Row {
  /** One short sentence for the API documents: what it does. */
  summary: string;
  /** What else a caller needs to know. */
  description?: string;
  /** The request: over HTTP, path parameters, query and body together. */
  request?: z.ZodType;
  /** The data of a successful answer. */
  data?: z.ZodType;
  /** The right that it needs, or several of which one is enough. Without one, only a session may send it: no API key. */
  right?: AnyRight | readonly AnyRight[];
  /** A session may send it without the right, for its own user. */
  isForSessionsToo?: true;
  /** The errors specific to this row. `errorsOf` adds those that any request may get. */
  errors?: readonly ErrorCode[];
}

/** A message that a client may send over a socket. */
export interface MessageRow extends Row {
  request: z.ZodType;
  data: z.ZodType;
  /** It changes nothing; every other message is a command. */
  isRead?: true;
}

export interface RouteRow extends Row {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  /** The right that it needs instead where the hub's money comes from a payment provider. */
  rightWithProvider?: AnyRight;
  /** Requires no token. */
  isPublic?: true;
  /** Its body is not the contract's: it is passed on byte for byte, and so are the headers. */
  hasRawBody?: true;
  /** For operators and orchestrators: served during shutdown too. */
  isProbe?: true;
  /** Its answer has no time limit: it is for tests only. */
  mayTakeLong?: true;
  /** The status of a success, 200 by default. */
  status?: 201 | 204;
  /** Query parameters that are numbers. */
  numericQuery?: readonly string[];
  /** The body may repeat path parameters, so that a message's request can be sent as it is. */
  allowPathParamsInBody?: true;
  /** The body of a probe's 503, where it is not an error of the contract. */
  notReady?: z.ZodType;
  /** The media type of the response, where it is not JSON. */
  mediaType?: string;
}

/** The rights of which a caller needs one; none where only a session will do. */
export function rightsFor({ right = [] }: Pick<Row, 'right'>): readonly AnyRight[] {
  return typeof right === 'string' ? [right] : right;
}

/** Whether a request takes an idempotency key. With a key, it takes effect once, however often it is sent. */
export function takesKey({ request }: Pick<Row, 'request'>): boolean {
  return request instanceof z.ZodObject && 'key' in request.shape;
}

/** Every error that a message or a route may return, those specific to it first. */
export function errorsOf(row: Pick<RouteRow, 'request' | 'errors' | 'isPublic' | 'right'>): ErrorCode[] {
  return [
    ...(row.errors ?? []),
    ...(takesKey(row) ? (['KEY_REUSED'] as const) : []),
    ...(row.isPublic ? [] : (['UNAUTHENTICATED', 'FORBIDDEN'] as const)),
    ...(['BAD_MESSAGE', 'RATE_LIMITED', 'OVERLOADED', 'UNAVAILABLE', 'INTERNAL'] as const),
  ].filter((code, index, codes) => codes.indexOf(code) === index);
}
