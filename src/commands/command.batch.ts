import { Inject, Injectable } from '@nestjs/common';
import { v4 as uuid } from 'uuid';
import { CONFIG, type Config } from '../config.js';
import type { Answer } from '../contract/wire.js';
import { Database, type Tx } from '../platform/database.js';
import { load } from './batch.load.js';
import { save } from './batch.save.js';
import type { Command } from './command.js';
import { settle } from './decide.js';
import { type EventRow, type StockAlert, World } from './world.js';

/** What a committed batch has to tell: an answer to each command, in their order, and what parties are to hear. */
export interface BatchOutcome {
  answers: Answer<unknown>[];
  events: EventRow[];
  stockAlerts: StockAlert[];
}

/** Runs commands together in one transaction: load what they touch, decide one after another, save what changed. */
@Injectable()
export class CommandBatch {
  /** This process, for as long as it lives. */
  private readonly nodeId = uuid();
  private batchNo = 0;
  private readonly rules: World['rules'];

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) config: Config,
  ) {
    this.rules = { unpaidTtlMs: config.unpaidTtlSeconds * 1_000, autoReceiveMs: config.autoReceiveSeconds * 1_000 };
  }

  async run(commands: readonly Command[]): Promise<BatchOutcome> {
    const { dialect } = this.database;
    const batchNo = ++this.batchNo;
    return this.database.transaction(
      async (tx) => {
        const world = new World(this.rules);
        await load(tx, dialect, commands, world);
        const now = Date.now();
        const answers = commands.map((command) => settle(world, command, now));
        await save(tx, dialect, world, now);
        await this.sign(tx, batchNo);
        return { answers, events: world.changed.events, stockAlerts: world.stockAlerts };
      },
      {
        // Another hub was first with the same key: the next attempt finds its answer.
        retry: (error) => dialect.isDuplicate(error),
        wasCommitted: () => this.wasCommitted(batchNo),
      },
    );
  }

  private async sign(tx: Tx, batchNo: number): Promise<void> {
    const ending = this.database.dialect.onConflictUpdate(['node_id'], ['batch_no']);
    await tx.query(`INSERT INTO hub_batches (node_id, batch_no) VALUES (?, ?)${ending}`, [this.nodeId, batchNo]);
  }

  /** Reads under a lock, so that a COMMIT that the server is still working on has ended when the answer comes. */
  private wasCommitted(batchNo: number): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const sql = `SELECT batch_no AS batchNo FROM hub_batches WHERE node_id = ?${this.database.dialect.forUpdate}`;
      const [row]: { batchNo: number }[] = await tx.query(sql, [this.nodeId]);
      return row?.batchNo === batchNo;
    });
  }
}
