import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 32;
const TOKEN_PATTERN = '[A-Za-z0-9_-]{43}';
const SESSION_TOKEN = new RegExp(`^${TOKEN_PATTERN}$`);
/** Tells a leaked key from other secrets, for those who scan for them. */
const SECRET_PREFIX = 'ohk_';
const SECRET = new RegExp(`^${SECRET_PREFIX}${TOKEN_PATTERN}$`);

/** A random bearer token. 256 bits need no salt and no slow hash. */
export function newSessionToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

export function newKeySecret(): string {
  return SECRET_PREFIX + newSessionToken();
}

export function isSessionToken(token: string): boolean {
  return SESSION_TOKEN.test(token);
}

export function isKeySecret(token: string): boolean {
  return SECRET.test(token);
}

/** What is stored of a token, in hexadecimal. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Compares hashes in constant time. */
export function isSameHash(hash: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(hash), Buffer.from(expected));
}
