import { HubError } from '../contract/errors.js';
import type { AnyRight } from '../contract/rights.js';
import { type Row, rightsFor } from '../contract/row.js';
import type { RequestContext } from './observability/request.context.js';

/** Whom a bearer token stands for, and what it may do. */
export interface Principal {
  userId: string;
  kind: 'session' | 'key' | 'operator';
  /** The hash of the token: what ends with it is found by this. */
  sessionId: string;
  terminal: string | null;
  /** Epoch milliseconds; `Infinity` for an API key without an end. */
  expiresAt: number;
  rights: ReadonlySet<AnyRight>;
  /** Records that an API key was used. */
  onUse?: () => void;
}

/** Throws `FORBIDDEN`, with the missing right, unless the caller may send this message or request. */
export function requireRight({ kind, rights }: Principal, row: Pick<Row, 'right' | 'isForSessionsToo'>): void {
  if (row.isForSessionsToo && kind === 'session') return;
  const enough = rightsFor(row);
  if (enough.length === 0 && kind !== 'session') throw new HubError('FORBIDDEN', 'Only a session may do this.');
  if (enough.length > 0 && !enough.some((right) => rights.has(right))) throw missingRight(enough[0]);
}

export function missingRight(right: AnyRight | undefined): HubError {
  return new HubError('FORBIDDEN', `This needs the right ${right}.`, { right });
}

/** Where a request came from. */
export interface RequestSource {
  /** Work whose client has disconnected need not be started. */
  isConnected(): boolean;
  /** Correlates log lines and traces. */
  context?: RequestContext | undefined;
}

/** The client of a socket or an HTTP request, authenticated or not. */
export interface ClientInfo extends RequestSource {
  /** What limits are counted by: see client.address.ts. */
  address: string;
  /** What the work of reads is counted by: the user, or the address where no token is needed. */
  readKey: string;
}

/** An authenticated client. */
export interface Caller extends Principal, ClientInfo {}
