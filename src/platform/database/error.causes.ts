import type { Dialect } from './dialect.js';
import { codeOf, errnoOf, isRefused, isUnreachable, messageOf } from './driver.errors.js';

/** Why a transaction is run again: values of the label `cause`. */
export type RetryCause = 'certification' | 'connection-lost' | 'deadlock' | 'duplicate' | 'lock-wait';

/** Why the database cannot be written: values of the label `cause`. */
export const outageCauses = ['no-quorum', 'read-only', 'refused', 'timeout', 'unreachable', 'other'] as const;
export type OutageCause = (typeof outageCauses)[number];

const DEADLOCKS = new Set([1213, 1020]);
/** Another member of the cluster has committed a write of the same row. Galera gives it the number of a deadlock. */
const CERTIFICATION = 3101;
const CERTIFICATION_TEXT = /wsrep|^Got error 149\b/i;
const NO_QUORUM = new Set([1047, 3100, 3101, 3796, 3797, 3798]);
const READ_ONLY = new Set([1290, 1792, 1836]);
const TIMEOUTS = new Set(['ETIMEDOUT', 'PROTOCOL_SEQUENCE_TIMEOUT']);

/** What the retry of a transaction that failed with this error is counted as. */
export function retryCauseOf(error: unknown, dialect: Dialect): RetryCause {
  const number = errnoOf(error);
  if (number === CERTIFICATION || CERTIFICATION_TEXT.test(messageOf(error))) return 'certification';
  if (DEADLOCKS.has(number)) return 'deadlock';
  if (dialect.isConflict(error)) return 'lock-wait';
  return dialect.isUnreachable(error) ? 'connection-lost' : 'duplicate';
}

/** What an outage that shows as this error is counted as. */
export function outageCauseOf(error: unknown): OutageCause {
  const number = errnoOf(error);
  if (NO_QUORUM.has(number)) return 'no-quorum';
  if (READ_ONLY.has(number)) return 'read-only';
  if (isRefused(error)) return 'refused';
  if (TIMEOUTS.has(codeOf(error))) return 'timeout';
  return isUnreachable(error) ? 'unreachable' : 'other';
}
