import { hash, verify } from '@node-rs/argon2';

/** argon2id with the parameters that OWASP's Password Storage Cheat Sheet names as its floor: 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export function hashPassword(password: string): Promise<string> {
  return hash(password, COST);
}

/** The hash of a password that nobody has. Made once, at the first need. */
let nobodys: Promise<string> | undefined;

/** Takes as long for a user who is not there (no hash) as for a wrong password. */
export async function isPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  nobodys ??= hashPassword(crypto.randomUUID());
  const matches = await verify(passwordHash ?? (await nobodys), password);
  return matches && passwordHash !== undefined;
}
