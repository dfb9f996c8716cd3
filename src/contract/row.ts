import { z } from 'zod';
import type { RefusalCode } from './errors.js';

/** What every row of the tables says of itself. The API documents and the page that shows them are made from it. */
export interface Row {
  /** What it does, as a short sentence for the reader of the API documents. */
  says: string;
  /** What else is worth knowing before using it. */
  notes?: string;
  /** Everything that the caller gives, as one message. */
  request?: z.ZodType;
  /** What a yes carries. */
  data?: z.ZodType;
  /** The refusals of its own; those that may come to any message are not named again. */
  refuses?: readonly RefusalCode[];
}

/** A message that a client may send over a socket. */
export interface MessageRow extends Row {
  request: z.ZodType;
  data: z.ZodType;
  /** It changes nothing. The rest are commands. */
  read?: true;
}

export interface RouteRow extends Row {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  /** Open to callers without a token. */
  open?: true;
  /** Asked by those who run the hub: answered also while it shuts down. */
  probe?: true;
  /** The status of success: 200 unless told. */
  status?: 201 | 204;
  /** Query parameters that are numbers. */
  numbers?: readonly string[];
  /** The body may name again what the path names, as the same message does over a socket. */
  wordForWord?: true;
  /** What a 503 of a probe carries when it is not an error of the contract. */
  unready?: z.ZodType;
  /** The answer's media type, where it is not the contract's JSON. */
  mediaType?: string;
}

/** Whether a message has a `key`: it takes effect once, however often it is sent. */
export function takesKey({ request }: Pick<Row, 'request'>): boolean {
  return request instanceof z.ZodObject && 'key' in request.shape;
}

/** Every refusal that may answer a message or a route, its own first. */
export function refusalsOf(row: Pick<RouteRow, 'request' | 'refuses' | 'open'>): RefusalCode[] {
  return [
    ...(row.refuses ?? []),
    ...(takesKey(row) ? (['KEY_REUSED'] as const) : []),
    ...(row.open ? [] : (['UNAUTHENTICATED'] as const)),
    ...(['BAD_MESSAGE', 'RATE_LIMITED', 'OVERLOADED', 'UNAVAILABLE', 'INTERNAL'] as const),
  ].filter((code, index, codes) => codes.indexOf(code) === index);
}
