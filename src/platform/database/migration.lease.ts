import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { v4 as uuid } from 'uuid';
import type { Dialect } from './dialect.js';
import { codeOf, isConflict, isUnreachable } from './driver.errors.js';

const TABLE = 'migration_lease';
const createSql = ({ text, integer, table }: Dialect['ddl']) => `CREATE TABLE IF NOT EXISTS ${TABLE}
  (lease ${text(16)} NOT NULL PRIMARY KEY, holder ${text(36)} NOT NULL, beats ${integer} NOT NULL) ${table}`;
const INSERT_SQL = `INSERT IGNORE INTO ${TABLE} (lease, holder, beats) VALUES ('schema', '', 0)`;
const READ_SQL = `SELECT holder, beats FROM ${TABLE} WHERE lease = 'schema'`;
/** Two nodes of a cluster cannot both commit this: it is a write of one row, from one state. */
const TAKE_SQL = `UPDATE ${TABLE} SET holder = ?, beats = beats + 1 WHERE lease = 'schema' AND holder = ? AND beats = ?`;
const BEAT_SQL = `UPDATE ${TABLE} SET beats = beats + 1 WHERE lease = 'schema' AND holder = ?`;
const RELEASE_SQL = `UPDATE ${TABLE} SET holder = '' WHERE lease = 'schema' AND holder = ?`;

const BEAT_MS = 1_000;
const POLL_MS = 250;
/** Reads in a row that find no new beat, after which the holder counts as dead: ten seconds. */
const SILENT_POLLS = 40;
/** Failed attempts in a row. A statement fails after three seconds on a node that works on another node's migration. */
const FAILURES_MAX = 20;

interface Lease {
  holder: string;
  beats: number;
}

/**
 * Who migrates, among the hubs of one database: the holder of a row. The server's own named locks belong to one node of a
 * cluster. No clock is compared: the holder counts beats, and is dead once reads that succeed find no new one. Reads fail while
 * a node is busy with a migration, so that a long one does not end the lease.
 */
export class MigrationLease {
  private beating: NodeJS.Timeout | undefined;

  private constructor(
    private readonly dialect: Dialect,
    private readonly dataSource: DataSource,
    private readonly holder: string,
  ) {}

  /** Waits until no other hub migrates. `dataSource` has time limits and, on a cluster, causal reads. */
  static async acquire(dialect: Dialect, dataSource: DataSource): Promise<MigrationLease> {
    const lease = new MigrationLease(dialect, dataSource, uuid());
    let last: Lease | undefined;
    for (let silent = 0, failures = 0; ; ) {
      try {
        const found = await lease.read();
        silent = found.holder === last?.holder && found.beats === last.beats ? silent + 1 : 0;
        last = found;
        const isFree = found.holder === '' || silent >= SILENT_POLLS;
        if (found.holder === lease.holder || (isFree && (await lease.take(found)))) break;
        failures = 0;
      } catch (error) {
        if ((!isConflict(error) && !isUnreachable(error)) || ++failures > FAILURES_MAX) throw error;
      }
      await sleep(POLL_MS);
    }
    lease.startBeating();
    return lease;
  }

  /** If this fails, the others wait until the beats have stopped for long enough. */
  async release(): Promise<void> {
    clearInterval(this.beating);
    await this.dataSource.query(RELEASE_SQL, [this.holder]).catch(() => {});
  }

  private async read(): Promise<Lease> {
    const read = (): Promise<Lease[]> => this.dataSource.query(READ_SQL);
    const [row] = await read().catch(async (error: unknown) => {
      if (codeOf(error) !== 'ER_NO_SUCH_TABLE') throw error;
      await this.dataSource.query(createSql(this.dialect.ddl));
      return [];
    });
    if (row) return row;
    await this.dataSource.query(INSERT_SQL);
    return { holder: '', beats: 0 };
  }

  private async take({ holder, beats }: Lease): Promise<boolean> {
    const { affectedRows } = await this.dataSource.query(TAKE_SQL, [this.holder, holder, beats]);
    return affectedRows === 1;
  }

  private startBeating(): void {
    this.beating = setInterval(() => this.dataSource.query(BEAT_SQL, [this.holder]).catch(() => {}), BEAT_MS);
    this.beating.unref();
  }
}
