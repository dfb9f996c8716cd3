import type { RedisClientOptions } from '@redis/client';

const FORM = 'redis://user:password@host:port, or rediss:// for TLS';
const DEFAULT_PORT = 6379;

/**
 * Parses a `REDIS_URL`. This is its only parser: the client is given the parts. Throws an `Error` that names what is invalid or not
 * supported, and never contains a password.
 */
export function parseRedisUrl(text: string): Pick<RedisClientOptions, 'username' | 'password' | 'database' | 'socket'> {
  const trimmed = text.trim();
  const isParsed = /^rediss?:\/\//i.test(trimmed) && !/[#\s\p{Cc}]/u.test(trimmed) && URL.canParse(trimmed);
  if (!isParsed) throw new Error(`must be ${FORM}; special characters in user and password must be percent-encoded`);
  const url = new URL(trimmed);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host.includes('%')) throw new Error(`names no host: write ${FORM}`);
  if (url.search !== '') throw new Error(`parameters are not supported: write ${FORM}`);
  if (url.port === '0') throw new Error('the port must be 1 to 65535');
  if (!/^(\/\d{0,5})?$/.test(url.pathname)) throw new Error('the database must be a number: redis://host:port/0');
  const [username, password] = [decoded('user', url.username), decoded('password', url.password)];
  return {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(Number(url.pathname.slice(1)) === 0 ? {} : { database: Number(url.pathname.slice(1)) }),
    socket: {
      host,
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
      ...(url.protocol === 'rediss:' ? { tls: true } : {}),
    },
  };
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`the ${part} is not percent-encoded: write % as %25`);
  }
}
