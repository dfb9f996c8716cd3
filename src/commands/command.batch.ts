import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import type { Answer } from '../contract/wire.js';
import { Database } from '../platform/database.js';
import { Laps, type Phase } from '../platform/laps.js';
import { HubNodes, type StockAlert } from '../rooms/hub.nodes.js';
import { load } from './batch.load.js';
import { save } from './batch.save.js';
import type { Command } from './command.js';
import { settle } from './decide.js';
import { type EventRow, World } from './world.js';

/** What a committed batch has to tell: an answer to each command, in their order, and what parties are to hear. */
export interface BatchOutcome {
  batchNo: number;
  phases: readonly Phase[];
  answers: Answer<unknown>[];
  events: EventRow[];
  stockAlerts: StockAlert[];
}

/** Runs commands together in one transaction: load what they touch, decide one after another, save what changed. */
@Injectable()
export class CommandBatch {
  private batchNo = 0;
  private readonly rules: World['rules'];

  constructor(
    private readonly database: Database,
    private readonly nodes: HubNodes,
    @Inject(CONFIG) config: Config,
  ) {
    this.rules = { unpaidTtlMs: config.unpaidTtlSeconds * 1_000, autoReceiveMs: config.autoReceiveSeconds * 1_000 };
  }

  /** Whether a server does the work, so that this thread has time while a batch runs. */
  get isDoneElsewhere(): boolean {
    return !this.database.dialect.singleWriter;
  }

  async run(commands: readonly Command[]): Promise<BatchOutcome> {
    const { dialect } = this.database;
    const batchNo = ++this.batchNo;
    const laps = new Laps();
    let isInDoubt = false;
    const outcome = await this.database
      .transaction(
        async (tx) => {
          laps.begin();
          const world = new World(this.rules);
          await load(tx, dialect, commands, world);
          laps.end('load');
          const now = Date.now();
          const answers = commands.map((command) => settle(world, command, now));
          laps.end('settle');
          const news = { rooms: world.changed.rooms, stockAlerts: world.stockAlerts };
          await Promise.all([save(tx, dialect, world, now), this.nodes.sign(tx, batchNo, news, now)]);
          laps.end('save');
          return { answers, events: world.changed.events, stockAlerts: world.stockAlerts };
        },
        {
          // Another hub was first with the same key: the next attempt finds its answer.
          retry: (error) => dialect.isDuplicate(error),
          wasCommitted: () => {
            isInDoubt = true;
            return this.nodes.hasSigned(batchNo);
          },
        },
      )
      .catch((error: unknown) => {
        if (isInDoubt) this.nodes.doubt(batchNo);
        throw error;
      });
    laps.end('commit');
    return { ...outcome, batchNo, phases: laps.phases };
  }
}
