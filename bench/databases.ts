import type { TestDatabase } from '../test/support/test.database.js';
import { auditHub, type MarketSize, seed, withReader } from './market.js';
import type { Row } from './scenarios.js';
import type { Market } from './wire.js';

const SLOW_SEED_SECONDS = 8;

interface SeededDatabase {
  database: TestDatabase;
  market: Market;
  size: MarketSize;
}

/** Seeded databases of one server, or files: a new one for each run unless the row names a shared one. */
export class Databases {
  private readonly shared = new Map<string, SeededDatabase>();

  constructor(private readonly server: string | undefined) {}

  async acquire({ market: size, sharedDatabase: name }: Row): Promise<SeededDatabase> {
    const existing = name === undefined ? undefined : this.shared.get(name);
    if (existing) return existing;
    const start = performance.now();
    const [database, market] = await seed(this.server, size);
    const seconds = Math.round((performance.now() - start) / 1_000);
    if (seconds > SLOW_SEED_SECONDS) console.log(`Seeded${name ? ` ${name}` : ''} in ${seconds} s`);
    const seeded = { database, market, size };
    if (name !== undefined) this.shared.set(name, seeded);
    return seeded;
  }

  async release({ sharedDatabase }: Row, { database }: SeededDatabase): Promise<void> {
    if (sharedDatabase === undefined) await database.drop();
  }

  /** Audits the shared databases, after all runs on them. */
  async audit(): Promise<string[]> {
    const errors: string[] = [];
    for (const [name, { database, size }] of this.shared) {
      const found = await withReader(database, (reader) => auditHub(reader, size));
      errors.push(...found.map((error) => `${name}: ${error}`));
    }
    return errors;
  }

  async drop(): Promise<void> {
    for (const { database } of this.shared.values()) await database.drop();
    this.shared.clear();
  }
}
