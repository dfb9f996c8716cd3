import { hash, verify } from '@node-rs/argon2';
import { ConcurrencyLimiter } from '../platform/limits/concurrency.limiter.js';

/** argon2id with the parameters that OWASP's Password Storage Cheat Sheet names as its floor: 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/**
 * Hashing a password takes 50 to 100 ms of CPU, which makes it the cheapest way to attack the hub. So only two are hashed at once,
 * and no more wait than are done within the answer timeout.
 */
export const HASHES_AT_ONCE = 2;
export const HASHES_WAITING_MAX = 126;

const hashing = new ConcurrencyLimiter({ maxConcurrent: HASHES_AT_ONCE, maxQueued: HASHES_WAITING_MAX });

export function hashPassword(password: string, isConnected?: () => boolean): Promise<string> {
  return hashing.run(() => hash(password, COST), { isConnected });
}

/** The hash of a random password, to compare with where there is no user. Made once, when first needed. */
let decoyHash: Promise<string> | undefined;

/**
 * The hash of a user who has no password: the shop's backend signs that user in. Its digest is random, so no password is known to
 * have it, and to verify it takes as long as others.
 */
export const NO_PASSWORD =
  '$argon2id$v=19$m=19456,t=2,p=1$UMaPYmQz9szmKyeYBQ3G6Q$y76pYsEjAJOIVvXbuLUYTGZGKNYYcJKY0nonUD4e6QE';

/** Takes as long for an unknown user (no hash) as for a wrong password. */
export async function isPassword(
  passwordHash: string | undefined,
  password: string,
  isConnected?: () => boolean,
): Promise<boolean> {
  decoyHash ??= hash(crypto.randomUUID(), COST);
  const against = passwordHash ?? (await decoyHash);
  const matches = await hashing.run(() => verify(against, password), { isConnected });
  return matches && passwordHash !== undefined;
}
