import type { IncomingMessage } from 'node:http';
import type { Config } from '../config.js';

/** Callers without an origin are not browsers. A page may connect from the hub's own origin, and from those that are listed. */
export function isAllowedOrigin({ headers }: IncomingMessage, config: Config): boolean {
  const { origin } = headers;
  if (origin === undefined) return true;
  if (config.allowedOrigins.includes(origin)) return true;
  const hosts = [headers.host, ...(config.trustProxy ? [headers['x-forwarded-host']] : [])];
  return URL.canParse(origin) && hosts.includes(new URL(origin).host);
}
