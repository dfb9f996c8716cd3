import { randomBytes } from 'node:crypto';
import type { Span } from '@opentelemetry/api';
import type { Phase } from './laps.js';

/** A message or a request under way: what joins what is written about it, in the log and in traces. Nothing that was sent. */
export interface Message {
  readonly id: string;
  readonly way: 'socket' | 'http';
  /** The contract's name of it: a message, or a route. */
  name: string;
  /** When it came, by `performance.now()`. */
  readonly since: number;
  /** The number of the batch that carried it out. */
  batchNo?: number;
  /** While traces are sent somewhere. */
  span?: Span | undefined;
}

/** A batch of commands that was committed, and the messages that asked for them. The hub's own commands have none. */
export interface BatchRun {
  batchNo: number;
  commands: number;
  messages: readonly Message[];
  from: number;
  to: number;
  phases: readonly Phase[];
}

/** What a caller may call a request of its own. Anything else could put words of its choosing into the log. */
const REQUEST_ID = /^[A-Za-z0-9_.:-]{1,64}$/;

const PROCESS = randomBytes(6).toString('base64url');
let counter = 0;

/** The id that the caller has given, if it is well-formed; or one that no other message of any hub has. */
export function messageId(given?: string): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : `${PROCESS}.${(++counter).toString(36)}`;
}
