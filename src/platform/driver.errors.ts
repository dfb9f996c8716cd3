/** Somebody else was first, and all of it may be done again. */
const CONFLICTS = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);
/** The server is away, or takes nobody in. */
const UNREACHABLE = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'POOL_CLOSED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_USER_LIMIT_REACHED',
  'ER_SERVER_SHUTDOWN',
  'ER_SERVER_OFFLINE_MODE',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_READ_ONLY_MODE',
  'ER_QUERY_INTERRUPTED',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_TIMEOUT',
]);
/** What comes without a code that the driver knows. */
const UNREACHABLE_TEXT =
  /Connection is not established|connection is in closed state|Queue limit reached|Pool is closed|Connection was killed|max_statement_time exceeded/;

interface DriverError {
  code?: string;
  message?: string;
  driverError?: DriverError;
}

/** The code that a server or its driver gives an error, or none. */
export function codeOf(error: unknown): string {
  const { code, driverError } = (error ?? {}) as DriverError;
  return driverError?.code ?? code ?? '';
}

export function messageOf(error: unknown): string {
  return (error as DriverError | undefined)?.message ?? '';
}

/** Whether a transaction lost a race against another, and was undone for it. */
export function hasLostRace(error: unknown): boolean {
  return CONFLICTS.has(codeOf(error));
}

/** Whether a server that does not answer yet may do so later: then there is something to wait for at the start. */
export function mayComeUp(error: unknown): boolean {
  return UNREACHABLE.has(codeOf(error)) || UNREACHABLE_TEXT.test(messageOf(error));
}
