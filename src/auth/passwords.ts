import { hash, verify } from '@node-rs/argon2';
import { Gate } from '../platform/gate.js';

/** argon2id with the parameters that OWASP's Password Storage Cheat Sheet names as its floor: 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/**
 * Hashing a password takes some 50 to 100 ms of a processor: the cheapest way to hurt the machine. So two at once, however
 * many ask, and as many waiting as are done before their callers are told that it takes too long.
 */
export const HASHES_AT_ONCE = 2;
export const HASHES_WAITING_MAX = 126;

const hashing = new Gate({ atOnce: HASHES_AT_ONCE, waitingMax: HASHES_WAITING_MAX });

export function hashPassword(password: string, isThere?: () => boolean): Promise<string> {
  return hashing.pass(() => hash(password, COST), isThere);
}

/** The hash of a password that nobody has. Made once, at the first need. */
let nobodys: Promise<string> | undefined;

/** Takes as long for a user who is not there (no hash) as for a wrong password. */
export async function isPassword(
  passwordHash: string | undefined,
  password: string,
  isThere?: () => boolean,
): Promise<boolean> {
  nobodys ??= hash(crypto.randomUUID(), COST);
  const against = passwordHash ?? (await nobodys);
  const matches = await hashing.pass(() => verify(against, password), isThere);
  return matches && passwordHash !== undefined;
}
