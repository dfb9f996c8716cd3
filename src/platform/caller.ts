import { HubError } from '../contract/errors.js';
import type { AnyRight } from '../contract/rights.js';
import { type Row, rightsFor } from '../contract/row.js';
import type { Role } from '../contract/transitions.js';
import type { RequestContext } from './observability/request.context.js';

/** For whom a member of staff acts, and by which membership: a new one with every change of the member's rights. */
export interface Acting {
  ownerId: string;
  membershipId: string;
}

/** Whom a bearer token stands for, and what it may do. */
export interface Principal {
  /** The person, also where that is a member of somebody's staff. */
  userId: string;
  /** Set for a member of staff who acts for a seller; `rights` are then what both allow. */
  acting?: Acting;
  kind: 'session' | 'key' | 'operator';
  /** The hash of the token: what ends with it is found by this. */
  sessionId: string;
  terminal: string | null;
  /** Epoch milliseconds of real time; `Infinity` for an API key without an end. */
  expiresAt: number;
  rights: ReadonlySet<AnyRight>;
  /** Records that an API key was used. */
  onUse?: () => void;
}

/** Throws `FORBIDDEN`, with the missing right, unless the caller may send this message or request. */
export function requireRight({ kind, rights, acting }: Principal, row: Pick<Row, 'right' | 'isForSessionsToo'>): void {
  const isInPerson = kind === 'session' && !acting;
  if (row.isForSessionsToo && isInPerson) return;
  const enough = rightsFor(row);
  if (enough.length === 0 && !isInPerson)
    throw new HubError('FORBIDDEN', 'Only a session may do this, for its own user.');
  if (enough.length > 0 && !enough.some((right) => rights.has(right))) throw missingRight(enough[0]);
}

export function missingRight(right: AnyRight | undefined): HubError {
  return new HubError('FORBIDDEN', `This needs the right ${right}.`, { right });
}

/** Whose orders, stores, money and staff a caller's requests are about: the caller's own, or the seller's for whom it acts. */
export function accountOf({ userId, acting }: Pick<Principal, 'userId' | 'acting'>): string {
  return acting?.ownerId ?? userId;
}

/** Throws `FORBIDDEN` for the buyer's side of a seller for whom the caller acts: buying is the seller's own. */
export function requireSide({ acting }: Pick<Principal, 'acting'>, role: Role): void {
  if (acting && role === 'buyer')
    throw new HubError('FORBIDDEN', 'A member of staff has no part in what the seller buys.');
}

/** Where a request came from. */
export interface RequestSource {
  /** For whom its caller acts. */
  acting?: Acting;
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
