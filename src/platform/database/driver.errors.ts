/** What an error means for the hub. Any other error is a fault of the hub. */
type ErrorClass =
  /** The transaction lost a race and was rolled back. */
  | 'conflict'
  /** The server cannot be reached or cannot work now: worth waiting for. */
  | 'away'
  /** The server does not let the hub work until an operator changes an account, a database or a setting. */
  | 'refused';

/**
 * Server errors by number: the driver has no names for those of every server and proxy. Where these give a number different
 * meanings, the hub provokes only the one below.
 */
const SERVER_ERRORS: Record<ErrorClass, number[]> = {
  conflict: [1205, 1213, 1020, 3101], // the last one at COMMIT: another member of the cluster has written the same row
  away: [
    ...[1040, 1129, 1135, 1203, 1226], // too many connections, host blocked, no thread
    ...[1042, 1043, 1152, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 2002, 2003, 2006, 2013], // network
    ...[1047, 3100, 3168, 3796, 3797, 3798], // a node outside of its cluster
    ...[1053, 1077, 1078, 1079, 1080, 3032], // shutdown, offline
    ...[1317, 1927, 1969, 3024, 3169, 4031], // a statement or connection that the server ended
    ...[1207, 1223, 1290, 1792, 1836, 1874, 1881], // a read-only server, session or engine
    ...[3, 5, 20, 23, 1015, 1016, 1021, 1023, 1024, 1026, 1030, 1114, 1598, 1878, 3170], // disk
    ...[1037, 1038, 1041, 1206, 1637], // memory
    ...[1105, 1180, 1181], // no reason given, or at COMMIT
    ...[8022, 8027, 8028, 9001, 9002, 9003, 9004, 9005, 9006, 9007, 9008, 9010, 9011, 9012, 9013], // behind a proxy
  ],
  refused: [
    ...[1044, 1045, 1130, 1142, 1143, 1227, 1251, 1396, 1524, 1698, 1820, 1862, 3118, 3955, 4151], // account, rights
    ...[1046, 1049], // no such database
    ...[1665, 1785, 3098], // replication that excludes the hub's writes
    ...[3159, 4177], // TLS demanded
  ],
};

/** A session setting that the server does not accept: see server.driver.ts. */
export const SETTING_REFUSED = 'SETTING_REFUSED';

/** Errors of the driver and of Node, which have a code. */
const DRIVER_ERRORS: Record<string, string[]> = {
  away: [
    ...['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR', 'POOL_CLOSED'],
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'EPROTO', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'ENOTFOUND'],
    ...['EAI_AGAIN', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EMFILE', 'ENFILE', 'ENOBUFS'],
  ],
  refused: ['HANDSHAKE_SSL_ERROR', 'HANDSHAKE_NO_SSL_SUPPORT', SETTING_REFUSED],
};
/** A failed COMMIT (1180) where a member of Group Replication has applied another's write of the row. */
const CONFLICT_TEXT = /^Got error 149\b/;
/** What is worth waiting for, for errors without a code. */
const AWAY_TEXT =
  /Connection is not established|connection is in closed state|Queue limit reached|Pool is closed|Connection was killed/;

const CLASSES = new Map<number | string, ErrorClass>(
  (['conflict', 'away', 'refused'] as const).flatMap((name) =>
    [...SERVER_ERRORS[name], ...(DRIVER_ERRORS[name] ?? [])].map((key) => [key, name] as const),
  ),
);

interface DriverError {
  code?: string;
  errno?: number;
  message?: string;
  /** The statement that failed. */
  query?: string;
  syscall?: string;
  driverError?: DriverError;
}

/** A lock was not granted in time. */
const LOCK_WAITS = new Set(['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_NOWAIT']);
/** A statement that another connection interrupted. */
const INTERRUPTED = 'ER_QUERY_INTERRUPTED';

function classOf(error: unknown): ErrorClass | undefined {
  if (CONFLICT_TEXT.test(messageOf(error))) return 'conflict';
  const { syscall } = innerOf(error);
  const known = CLASSES.get(errnoOf(error)) ?? CLASSES.get(codeOf(error));
  return known ?? (syscall === 'connect' || AWAY_TEXT.test(messageOf(error)) ? 'away' : undefined);
}

/** The driver's error, which TypeORM wraps. */
function innerOf(error: unknown): DriverError {
  const outer = (error ?? {}) as DriverError;
  return outer.driverError ?? outer;
}

/** The number of a server error, or 0. */
export function errnoOf(error: unknown): number {
  return innerOf(error).errno ?? 0;
}

/** The code of a server or driver error, or an empty string. */
export function codeOf(error: unknown): string {
  const { code, driverError } = (error ?? {}) as DriverError;
  return driverError?.code ?? code ?? '';
}

export function messageOf(error: unknown): string {
  return (error as DriverError | undefined)?.message ?? '';
}

/** The transaction lost a race and was rolled back. */
export function isConflict(error: unknown): boolean {
  return classOf(error) === 'conflict';
}

/** The server is away or refuses to let the hub work: nothing can be done now, and the same may succeed later. */
export function isUnreachable(error: unknown): boolean {
  return isAway(error) || isRefused(error);
}

/** The statement waited in vain for a lock, as the server says; if its transaction `wasInterrupted`, also when that ended it. */
export function isLockWait(error: unknown, wasInterrupted: boolean): boolean {
  const code = codeOf(error);
  return LOCK_WAITS.has(code) || (wasInterrupted && code === INTERRUPTED);
}

/** The statement that failed with this error, or an empty string. */
export function statementOf(error: unknown): string {
  return (error as DriverError | undefined)?.query ?? '';
}

/** Connection error, or the server is temporarily unavailable: worth waiting for. */
export function isAway(error: unknown): boolean {
  return classOf(error) === 'away';
}

/** It takes an operator to let the hub work: a start is stopped. */
export function isRefused(error: unknown): boolean {
  return classOf(error) === 'refused';
}

const ACCOUNT_HINT = 'check the user and password of DATABASE_URL, and whether the account demands TLS (?ssl=true)';
const HINTS: Record<number | string, string> = {
  1045: ACCOUNT_HINT,
  1698: ACCOUNT_HINT,
  1049: 'create it, or name another in DATABASE_URL',
  3159: 'add ?ssl=true or ?ssl-ca=/path/to/ca.pem to DATABASE_URL',
  4177: 'add ?ssl=true or ?ssl-ca=/path/to/ca.pem to DATABASE_URL',
  HANDSHAKE_NO_SSL_SUPPORT: 'let it offer TLS, or connect without (DATABASE_URL)',
  HANDSHAKE_SSL_ERROR: 'check ssl-ca and ssl-mode of DATABASE_URL, and the certificate of the server',
  [SETTING_REFUSED]: 'use a server or proxy that accepts it',
};

/** A refusal as one sentence for an operator; any other error as it is. */
export function explained(error: unknown): unknown {
  if (!isRefused(error)) return error;
  const errno = errnoOf(error);
  const hint = HINTS[codeOf(error)] ?? HINTS[errno] ?? 'check the account and database of DATABASE_URL';
  const reason = messageOf(error).replaceAll(/\s+/g, ' ').trim();
  return Object.assign(new Error(`The database does not let the hub work: ${reason}; ${hint}`, { cause: error }), {
    code: codeOf(error),
    errno,
  });
}
