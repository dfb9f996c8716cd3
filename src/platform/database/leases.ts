import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { Logger } from '../observability/logger.js';
import { Database, type Tx } from './database.js';
import { Lease } from './lease.entity.js';

/** A lease of more than this ahead was given by a wrong clock, and does not count. */
export const LEASE_MAX_MS = 3_600_000;
const NOBODY = '';

/**
 * Elects one hub for work that should not be done by all, with a row that it writes: a lock of the server's (`GET_LOCK`) is known
 * to one node of a cluster only.
 */
@Injectable()
export class Leases {
  private readonly hubId: string;
  /** Until when leases were last seen to be kept free. */
  private readonly freeUntil = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @InjectRepository(Lease) private readonly leases: Repository<Lease>,
    logger: Logger,
  ) {
    this.hubId = logger.hubId;
  }

  /** Takes or renews a lease for this many milliseconds, unless another hub has it. Returns whether this hub has it. */
  async acquire(name: string, ms: number): Promise<boolean> {
    const found = await this.leases.findOneBy({ name });
    if (found?.holder === NOBODY && found.expiresAt > 0) this.freeUntil.set(name, found.expiresAt);
    if (!this.isFree(found)) return false;
    return this.write(name, this.hubId, ms);
  }

  /** Gives back a lease that this hub has. Nobody can take it for this many milliseconds. */
  async release(name: string, ms: number): Promise<void> {
    await this.write(name, NOBODY, ms);
    if (ms > 0) this.freeUntil.set(name, this.clock.realNow() + ms);
  }

  /**
   * For how many milliseconds the lease may be taken since it was last given back with a pause; negative during the pause. Undefined
   * while this hub has seen nobody do so.
   */
  dueForMs(name: string): number | undefined {
    const until = this.freeUntil.get(name);
    return until === undefined ? undefined : this.clock.realNow() - until;
  }

  private write(name: string, holder: string, ms: number): Promise<boolean> {
    const work = async (tx: Tx) => {
      const leases = tx.withRepository(this.leases);
      const query = leases.createQueryBuilder('lease').where({ name });
      if (!this.database.dialect.singleWriter) query.setLock('pessimistic_write');
      const lease = await query.getOne();
      if (!this.isFree(lease)) return false;
      // What is free at once is so by every hub's clock, which differ by a little.
      const row = { name, holder, expiresAt: ms === 0 ? 0 : this.clock.realNow() + ms };
      if (lease) await leases.update({ name }, row);
      else await leases.insert(row);
      return true;
    };
    // Another hub took it for the first time at the same moment: the next attempt finds that.
    return this.database.transaction(work, { retry: (error) => this.database.dialect.isDuplicate(error) });
  }

  private isFree(lease: Lease | null): boolean {
    if (!lease || lease.holder === this.hubId) return true;
    const leftMs = lease.expiresAt - this.clock.realNow();
    return leftMs <= 0 || leftMs > LEASE_MAX_MS;
  }
}
