import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Config } from '../../config.js';
import { forwarded } from '../http/forwarded.js';

/** A serialized origin; a URL parser alone would also accept a path or another site's user name. */
const ORIGIN = /^https?:\/\/[\w.:[\]-]+$/i;
/** Some proxies forward the scheme of the WebSocket. */
const httpSchemes = new Map([
  ['http', 'http:'],
  ['https', 'https:'],
  ['ws', 'http:'],
  ['wss', 'https:'],
]);

type OriginConfig = Pick<Config, 'allowedOrigins' | 'trustProxy'>;

/** Accepts the hub's own origin, configured ones, and requests without one, which do not come from browsers. */
export function isAllowedOrigin({ headers }: IncomingMessage, config: OriginConfig): boolean {
  const { origin } = headers;
  return origin === undefined || isListed(origin, config) || isOwn(origin, headers, config);
}

/** The `origin` option of CORS middleware, which then repeats a listed origin as the browser wrote it. */
export function corsOrigin(config: OriginConfig) {
  return (origin: string | undefined, callback: (error: Error | null, allowed: true | []) => void): void =>
    callback(null, origin !== undefined && isListed(origin, config) ? true : []);
}

function isListed(origin: string, { allowedOrigins }: OriginConfig): boolean {
  const parsed = parseOrigin(origin);
  return parsed !== undefined && allowedOrigins.some((allowed) => parseOrigin(allowed)?.origin === parsed.origin);
}

function isOwn(origin: string, headers: IncomingHttpHeaders, { trustProxy }: OriginConfig): boolean {
  const parsed = parseOrigin(origin);
  if (!parsed) return false;
  const hosts = [headers.host ?? '', ...(trustProxy ? forwarded(headers, 'host') : [])];
  const schemes = trustProxy
    ? forwarded(headers, 'proto').flatMap((text) => httpSchemes.get(text.toLowerCase()) ?? [])
    : [];
  // TLS may end at a proxy before the nearest one, which then says http. But an insecure page may not use a secure hub.
  if (parsed.protocol === 'http:' && schemes.length > 0 && !schemes.includes('http:')) return false;
  return hosts.some((host) => parseOrigin(`${parsed.protocol}//${host}`)?.origin === parsed.origin);
}

/** Normalizes letter case and default ports, so that equal origins have equal texts. */
function parseOrigin(text: string): URL | undefined {
  return ORIGIN.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}
