import type { Server } from 'node:http';

/** Longer than the minute for which proxies keep a connection: they would reuse one that the hub has just closed. */
const KEEP_ALIVE_MS = 75_000;

/** As long as a socket has for its handshake. */
const HEADERS_TIMEOUT_MS = 5_000;
/** A body of 64 KB over a bad connection. */
const REQUEST_TIMEOUT_MS = 30_000;
const TIMEOUT_CHECK_INTERVAL_MS = 500;

/** Slowloris protection: a connection that sends nothing, or sends it byte by byte, is closed. */
export function setServerTimeouts(server: Server): void {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  // A constructor option only; Nest creates the server, so the field is set afterwards. Node would check twice a minute.
  Object.assign(server, { connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS });
}
