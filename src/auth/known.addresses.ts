import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { isoTime } from '../contract/fields.js';
import { Clock } from '../platform/clock/clock.js';
import type { Tx } from '../platform/database/database.js';
import { KnownAddress } from './known.address.entity.js';

/** Remembered addresses of a user; the oldest are dropped first. */
export const KNOWN_ADDRESSES_MAX = 20;
export const KNOWN_ADDRESS_DAYS = 90;
const DAY_MS = 86_400_000;
/**
 * 16 bits. 65,536 IPv4 addresses share each fingerprint, so a stolen database does not reveal a user's address; with 20 known
 * addresses, an unknown one is mistaken for known about once in 3,000 times.
 */
const FINGERPRINT_HEX_DIGITS = 4;

/** At which addresses each user has logged in: in the database, so that every hub knows it, also after a restart. */
@Injectable()
export class KnownAddresses {
  constructor(
    private readonly clock: Clock,
    @InjectRepository(KnownAddress) private readonly known: Repository<KnownAddress>,
  ) {}

  async includes(userId: string, address: string): Promise<boolean> {
    return this.known.existsBy({ userId, fingerprint: fingerprintOf(userId, address) });
  }

  /** Newest first. */
  async list(userId: string): Promise<{ fingerprint: string; seenAt: string }[]> {
    const found = await this.known.find({ where: { userId }, order: { seenAt: 'DESC' } });
    return found.map(({ fingerprint, seenAt }) => ({ fingerprint, seenAt: isoTime(seenAt) }));
  }

  /** Costs one read in most logins: an address is written when it is new, and once a day. */
  async remember(tx: Tx, userId: string, address: string, now = this.clock.now()): Promise<void> {
    const addresses = tx.withRepository(this.known);
    const fingerprint = fingerprintOf(userId, address);
    const found = await addresses.find({ where: { userId }, order: { seenAt: 'DESC' } });
    const seen = found.find((each) => each.fingerprint === fingerprint);
    if (seen && now - seen.seenAt < DAY_MS) return;
    if (seen) await addresses.update({ userId, fingerprint }, { seenAt: now });
    else await addresses.insert({ userId, fingerprint, seenAt: now });
    if (seen || found.length < KNOWN_ADDRESSES_MAX) return;
    for (const old of found.slice(KNOWN_ADDRESSES_MAX - 1)) {
      await addresses.delete({ userId, fingerprint: old.fingerprint });
    }
  }

  async forget(tx: Tx, userId: string): Promise<void> {
    await tx.withRepository(this.known).delete({ userId });
  }

  async prune(tx: Tx, now: number): Promise<void> {
    await tx.withRepository(this.known).delete({ seenAt: LessThan(now - KNOWN_ADDRESS_DAYS * DAY_MS) });
  }
}

/** Differs by user, so that it does not show who shares an address. */
function fingerprintOf(userId: string, address: string): string {
  const hash = createHash('sha256').update(JSON.stringify([userId, address]));
  return hash.digest('hex').slice(0, FINGERPRINT_HEX_DIGITS);
}
