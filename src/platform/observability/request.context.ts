import { randomBytes } from 'node:crypto';
import type { Span } from '@opentelemetry/api';
import type { Phase } from './phase.timer.js';

/** Correlates the log lines and spans of a message or HTTP request. Holds none of its fields. */
export interface RequestContext {
  readonly id: string;
  readonly way: 'socket' | 'http';
  /** The contract's name of the message or route. */
  name: string;
  /** Time of arrival, by `performance.now()`. */
  readonly since: number;
  /** The batch that executed it. */
  batchNo?: number;
  /** Only if traces are exported. */
  span?: Span | undefined;
}

/** A committed batch of commands, and the messages that requested them. The hub's own commands have none. */
export interface BatchRun {
  batchNo: number;
  commands: number;
  messages: readonly RequestContext[];
  from: number;
  to: number;
  phases: readonly Phase[];
}

/** Request ids accepted from clients. Anything else could forge log lines. */
const REQUEST_ID = /^[A-Za-z0-9_.:-]{1,64}$/;

const PROCESS = randomBytes(6).toString('base64url');
let counter = 0;

/** The client's id if it is well-formed, or a new one that is unique across hubs. */
export function requestId(clientId?: string): string {
  return clientId !== undefined && REQUEST_ID.test(clientId) ? clientId : `${PROCESS}.${(++counter).toString(36)}`;
}
