import { join } from 'node:path';
import type { TestDatabase } from '../test/support/test.database.js';
import {
  auditHub,
  commandsOf,
  faultsOf,
  furnish,
  lookInto,
  type MarketSize,
  pushFaults,
  type Stand,
  standOf,
} from './market.js';
import { type Figures, figuresOf } from './report.js';
import type { Row } from './scenarios.js';
import type { Server } from './server.js';
import { readStages, type Stage } from './stages.js';
import { type Cost, costOf, System, startLoad } from './system.js';
import type { AsideMeasured, Market, Measured, Probed, ToAside, ToLoad, Work } from './wire.js';

const CONNECTS_WITHIN_MS = 120_000;
const ASIDE_WITHIN_MS = 60_000;
/** Prepared orders, and those that are still under way when it is over, take their time on a slow system. */
const RUNS_WITHIN_MS = 180_000;
const A_WHILE_SECONDS = 8;
/** Sockets that come before the others, so that what is made once is not counted as theirs. */
const FIRST_SOCKETS = 100;

export interface Setting {
  databases: Databases;
  server: Server | undefined;
  warmUpMs: number;
  measureMs: number;
  /** Where to put profiles. */
  profiles?: string;
}

/** What a run came to, and what was wrong with it: then it does not count. */
export interface Outcome {
  figures: Figures;
  faults: string[];
  stages?: Stage[];
}

interface Furnished {
  database: TestDatabase;
  market: Market;
  size: MarketSize;
}

/** The databases of one server, or files: a new one for each run, but for those that are named. */
export class Databases {
  private readonly named = new Map<string, Furnished>();

  constructor(private readonly server: string | undefined) {}

  async take({ market: size, reuses }: Row): Promise<Furnished> {
    const known = reuses === undefined ? undefined : this.named.get(reuses);
    if (known) return known;
    const from = performance.now();
    const [database, market] = await furnish(this.server, size);
    const took = Math.round((performance.now() - from) / 1_000);
    if (took > A_WHILE_SECONDS) console.log(`Furnished${reuses ? ` for ${reuses}` : ''} in ${took} s`);
    const furnished = { database, market, size };
    if (reuses !== undefined) this.named.set(reuses, furnished);
    return furnished;
  }

  async giveBack({ reuses }: Row, { database }: Furnished): Promise<void> {
    if (reuses === undefined) await database.drop();
  }

  /** Looks through the books of those that served for many runs of the hub. */
  async audit(): Promise<string[]> {
    const faults: string[] = [];
    for (const [name, { database, size }] of this.named) {
      const found = await lookInto(database, (reader) => auditHub(reader, size));
      faults.push(...found.map((fault) => `${name}: ${fault}`));
    }
    return faults;
  }

  async drop(): Promise<void> {
    for (const { database } of this.named.values()) await database.drop();
    this.named.clear();
  }
}

/** One run of one system under a load. */
export async function measure(row: Row, setting: Setting, rate: number | undefined, title: string): Promise<Outcome> {
  const furnished = await setting.databases.take(row);
  const { database, market, size } = furnished;
  const running: System[] = [];
  try {
    const before = await lookInto(database, (reader) => standOf(reader, database.url));
    const { processes = 1, isPinned = true, system } = row;
    for (let index = 0; index < processes; index++)
      running.push(
        await System.start(system, database, { isPinned, isProbed: true, isProfiled: Boolean(setting.profiles) }),
      );
    const run = new LoadedRun(row, market, running, setting, join(setting.profiles ?? '', title));
    const outcome = await run.carryOut(rate);
    for (const each of running) await each.stop();
    const { told } = outcome;
    if (system === 'hub') Object.assign(outcome.figures, await diskFigure(database, before, told));
    const faults = await lookInto(database, async (reader) => [
      ...outcome.faults,
      ...(system === 'bare' ? pushFaults(told) : await faultsOf(reader, before, told, database.url)),
      ...(system === 'hub' && row.reuses === undefined ? await auditHub(reader, size) : []),
    ]);
    return { ...outcome, faults };
  } finally {
    for (const each of running) await each.stop();
    await setting.databases.giveBack(row, furnished);
  }
}

/** What the tables grew by for each command. Only of a file it can be said at once. */
async function diskFigure(database: TestDatabase, before: Stand, told: Measured['told']): Promise<Figures> {
  const { bytes } = await lookInto(database, (reader) => standOf(reader, database.url));
  if (bytes === undefined || before.bytes === undefined) return {};
  const commands = commandsOf(told.done);
  // Who only reads writes nothing.
  return commands === 0 ? {} : { diskBytes: (bytes - before.bytes) / commands };
}

/** From the start of the process until it says over HTTP that it is ready. */
export async function measureStart(row: Row, { databases }: Setting): Promise<Outcome> {
  const furnished = await databases.take(row);
  const from = performance.now();
  const system = await System.start(row.system, furnished.database, { isPinned: true, isProbed: false });
  try {
    const { status } = await fetch(`${system.url}/health/ready`);
    const startMs = performance.now() - from;
    // The usual baseline has no such route; that it says so is as good.
    const isReady = status === 200 || (status === 404 && row.system === 'usual');
    return { figures: { startMs }, faults: isReady ? [] : [`not ready: ${status}`] };
  } finally {
    await system.stop();
    await databases.giveBack(row, furnished);
  }
}

/** Lets a process of load work, and looks at the system when measuring begins and when it ends. */
class LoadedRun {
  private readonly looks: { system: Cost; server: Cost | undefined }[] = [];
  private probed: Probed[] = [];
  private ended: Promise<AsideMeasured> | undefined;
  private since = 0;
  private readonly noticed: Promise<void>[] = [];
  private readonly load = startLoad('load', (notice) => this.noticed.push(this.notice(notice as { what: string })));
  private readonly aside;

  constructor(
    private readonly row: Row,
    private readonly market: Market,
    private readonly running: System[],
    private readonly setting: Setting,
    private readonly profile: string,
  ) {
    this.aside = row.aside && startLoad('aside');
  }

  async carryOut(rate: number | undefined): Promise<Outcome & { told: Measured['told'] }> {
    const { row, market, running, setting } = this;
    const { aside } = row;
    try {
      const idleKb = await this.connect(rate);
      if (aside) await this.askAside({ say: 'begin', work: { url: running[0]?.url ?? '', market, aside } });
      const question: ToLoad = { say: 'run' };
      const measured = await this.load.ask<Measured>(question, RUNS_WITHIN_MS);
      await Promise.all(this.noticed);
      const beside = this.ended && (await this.ended);
      const [begun, ended] = this.looks;
      if (!begun || !ended) throw new Error('The load did not say when it measured');
      const { server: serverBegun } = begun;
      const figures = figuresOf({
        ...{ measured, system: [begun.system, ended.system], probed: this.probed },
        ...{ isAtRate: rate !== undefined, isAsideOnly: row.steps.length === 0 },
        ...(serverBegun && ended.server ? { server: [serverBegun, ended.server] } : {}),
        ...(beside ? { aside: beside } : {}),
        ...(idleKb === undefined ? {} : { idleKb }),
      });
      const stages = setting.profiles && readStages(this.profileOf(0), measured.messages || (beside?.done ?? 1));
      const faults = [...measured.faults, ...(beside?.faults ?? [])];
      // Exact, but too slow for its window: there is nothing to say of its rate.
      const isTold = Number.isFinite(figures.cpuUs);
      return { figures: isTold ? figures : {}, faults, told: measured.told, ...(stages ? { stages } : {}) };
    } finally {
      for (const child of [this.load, this.aside]) child?.process.kill();
    }
  }

  /** Everybody connects. Gives what each idle socket holds, in KB, if there are any. */
  private async connect(rate: number | undefined): Promise<number | undefined> {
    const { row, market, running, setting } = this;
    const { steps, before, inFlight, shelf } = row;
    const [first, others] = [market.idle.slice(0, FIRST_SOCKETS), market.idle.slice(FIRST_SOCKETS)];
    const work: Work = {
      ...{ urls: running.map(({ url }) => url), market, steps, inFlight, shelf },
      ...(before ? { before } : {}),
      ...(rate ? { rate } : {}),
      ...{ warmUpMs: setting.warmUpMs, measureMs: setting.measureMs },
    };
    await this.askLoad({ say: 'connect', work });
    if (market.idle.length === 0) return undefined;
    await this.askLoad({ say: 'connect idle', parties: first });
    const rssMb = await this.settledRss();
    if (others.length === 0) return undefined;
    await this.askLoad({ say: 'connect idle', parties: others });
    return (((await this.settledRss()) - rssMb) * 1_024) / others.length;
  }

  private async settledRss(): Promise<number> {
    for (const system of this.running) await system.ask({ say: 'settle' });
    return this.look().system.rssMb;
  }

  private async notice({ what }: { what: string }): Promise<void> {
    const isBeginning = what === 'measuring';
    this.looks.push(this.look());
    if (isBeginning) {
      this.since = performance.now();
      await Promise.all(
        this.running.map((system) => system.ask({ say: 'begin', profile: Boolean(this.setting.profiles) })),
      );
      if (this.aside) await this.askAside({ say: 'mark' });
      return;
    }
    const ms = performance.now() - this.since;
    if (this.aside) this.ended = this.askAside<AsideMeasured>({ say: 'end' });
    const questions = this.running.map((system, index) =>
      system.ask({ say: 'end', ms, ...(this.setting.profiles ? { profile: this.profileOf(index) } : {}) }),
    );
    this.probed = (await Promise.all(questions)).filter((each) => each !== undefined);
  }

  private look() {
    const { server } = this.setting;
    return {
      system: costOf(this.running.map(({ pid }) => pid)),
      server: server && costOf([server.pid]),
    };
  }

  private profileOf(process: number): string {
    return `${this.profile}-${process}.cpuprofile`;
  }

  private askLoad(question: ToLoad): Promise<unknown> {
    return this.load.ask(question, CONNECTS_WITHIN_MS);
  }

  private askAside<Answer>(question: ToAside): Promise<Answer> {
    if (!this.aside) throw new Error('There is nobody aside');
    return this.aside.ask<Answer>(question, ASIDE_WITHIN_MS);
  }
}
