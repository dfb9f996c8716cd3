import { join } from 'node:path';
import type { TestDatabase } from '../test/support/test.database.js';
import type { Child } from './child.js';
import type { Databases } from './databases.js';
import {
  auditHub,
  countCommands,
  findMismatches,
  findPushMismatches,
  type Snapshot,
  takeSnapshot,
  withReader,
} from './market.js';
import { type Figures, figuresOf } from './report.js';
import type { Row } from './scenarios.js';
import type { Server } from './server.js';
import { readStages, type Stage } from './stages.js';
import { System, startLoad, type Usage, usageOf } from './system.js';
import type {
  BackgroundMeasured,
  BackgroundRequest,
  LoadNotice,
  LoadRequest,
  Market,
  Measured,
  Observed,
  Probed,
  Work,
} from './wire.js';

const CONNECT_TIMEOUT_MS = 120_000;
const BACKGROUND_TIMEOUT_MS = 60_000;
/** Includes preparing orders and draining commands in flight, which takes long on a slow system. */
const RUN_TIMEOUT_MS = 180_000;
/** Idle sockets connected before memory is first read, so that one-time allocations are not counted per socket. */
const FIRST_IDLE_SOCKETS = 100;

export interface Setting {
  databases: Databases;
  server: Server | undefined;
  warmUpMs: number;
  measureMs: number;
  /** Cores of the system under test. */
  cores: number;
  /** Folder for CPU profiles; profiles are taken only if it is set. */
  profiles?: string;
}

/** A run's results. With errors, it does not count. */
export interface Outcome {
  figures: Figures;
  errors: string[];
  stages?: Stage[];
}

/** One run of one system under load, verified against its database. */
export async function measure(row: Row, setting: Setting, rate: number | undefined, title: string): Promise<Outcome> {
  const seeded = await setting.databases.acquire(row);
  const { database, market, size } = seeded;
  const running: System[] = [];
  try {
    const before = await withReader(database, (reader) => takeSnapshot(reader, database.url));
    const { processes = 1, isPinned = true, system } = row;
    for (let index = 0; index < processes; index++)
      running.push(
        await System.start(system, database, {
          ...(isPinned ? { cores: setting.cores } : {}),
          ...{ isProbed: true, isProfiled: Boolean(setting.profiles) },
        }),
      );
    const run = new LoadedRun(row, market, running, setting, join(setting.profiles ?? '', title));
    const { observed, ...outcome } = await run.execute(rate);
    for (const each of running) await each.stop();
    if (system === 'hub') Object.assign(outcome.figures, await measureDisk(database, before, observed));
    const errors = await withReader(database, async (reader) => [
      ...outcome.errors,
      ...(system === 'bare'
        ? findPushMismatches(observed)
        : await findMismatches(reader, before, observed, database.url)),
      ...(system === 'hub' && row.sharedDatabase === undefined ? await auditHub(reader, size) : []),
    ]);
    return { ...outcome, errors };
  } finally {
    for (const each of running) await each.stop();
    await setting.databases.release(row, seeded);
  }
}

/** Growth of the database file per command; a server's files do not show it immediately. */
async function measureDisk(database: TestDatabase, before: Snapshot, observed: Observed): Promise<Figures> {
  const { bytes } = await withReader(database, (reader) => takeSnapshot(reader, database.url));
  if (bytes === undefined || before.bytes === undefined) return {};
  const commands = countCommands(observed.done);
  return commands === 0 ? {} : { diskBytes: (bytes - before.bytes) / commands };
}

/** Time from spawning the process to its first ready response over HTTP. */
export async function measureStart(row: Row, { databases, cores }: Setting): Promise<Outcome> {
  const seeded = await databases.acquire(row);
  const start = performance.now();
  const system = await System.start(row.system, seeded.database, { cores, isProbed: false });
  try {
    const { status } = await fetch(`${system.url}/health/ready`);
    const startMs = performance.now() - start;
    // The usual baseline has no health route; its 404 shows that it responds.
    const isReady = status === 200 || (status === 404 && row.system === 'usual');
    return { figures: { startMs }, errors: isReady ? [] : [`not ready: ${status}`] };
  } finally {
    await system.stop();
    await databases.release(row, seeded);
  }
}

/** Runs the load, and samples CPU and memory at both ends of its measured window. */
class LoadedRun {
  private readonly samples: { system: Usage; server: Usage | undefined }[] = [];
  private probed: Probed[] = [];
  private backgroundResult: Promise<BackgroundMeasured> | undefined;
  private windowStart = 0;
  private readonly notices: Promise<void>[] = [];
  private readonly load: Child;
  private readonly background: Child | undefined;

  constructor(
    private readonly row: Row,
    private readonly market: Market,
    private readonly running: System[],
    private readonly setting: Setting,
    private readonly profile: string,
  ) {
    const { cores } = setting;
    this.load = startLoad('load', cores, (notice) => this.notices.push(this.onNotice(notice as LoadNotice)));
    this.background = row.background && startLoad('background.load', cores);
  }

  async execute(rate: number | undefined): Promise<Outcome & { observed: Observed }> {
    const { row, market, running } = this;
    const { background: kind } = row;
    try {
      const idleKb = await this.connect(rate);
      if (kind) await this.requestBackground({ type: 'begin', work: { url: running[0]?.url ?? '', market, kind } });
      const request: LoadRequest = { type: 'run' };
      const measured = await this.load.request<Measured>(request, RUN_TIMEOUT_MS);
      await Promise.all(this.notices);
      return await this.outcome(measured, idleKb, rate !== undefined);
    } finally {
      for (const child of [this.load, this.background]) child?.process.kill();
    }
  }

  private async outcome(measured: Measured, idleKb: number | undefined, isAtRate: boolean) {
    const background = await this.backgroundResult;
    const [begun, ended] = this.samples;
    if (!begun || !ended) throw new Error('The load did not report its measured window');
    const figures = figuresOf({
      ...{ measured, system: [begun.system, ended.system], probed: this.probed },
      ...{ isAtRate, isBackgroundOnly: this.row.steps.length === 0 },
      ...(begun.server && ended.server ? { server: [begun.server, ended.server] } : {}),
      ...(background ? { background } : {}),
      ...(idleKb === undefined ? {} : { idleKb }),
    });
    const messages = measured.messages || (background?.done ?? 1);
    const stages = this.setting.profiles && readStages(this.profilePath(0), messages);
    const errors = [...measured.errors, ...(background?.errors ?? [])];
    // A correct system that answers nothing within the window has no figures.
    const hasFigures = Number.isFinite(figures.cpuUs);
    return {
      ...{ figures: hasFigures ? figures : {}, errors, observed: measured.observed },
      ...(stages ? { stages } : {}),
    };
  }

  /** Connects all clients. Resolves to the memory of each idle socket in KB; undefined if the row has none. */
  private async connect(rate: number | undefined): Promise<number | undefined> {
    const { row, market, running, setting } = this;
    const { steps, before, inFlight, contention } = row;
    const [first, others] = [market.idle.slice(0, FIRST_IDLE_SOCKETS), market.idle.slice(FIRST_IDLE_SOCKETS)];
    const work: Work = {
      ...{ urls: running.map(({ url }) => url), market, steps, inFlight, contention },
      ...(before ? { before } : {}),
      ...(rate ? { rate } : {}),
      ...{ warmUpMs: setting.warmUpMs, measureMs: setting.measureMs },
    };
    await this.requestLoad({ type: 'connect', work });
    if (market.idle.length === 0) return undefined;
    await this.requestLoad({ type: 'connect idle', parties: first });
    const rssMb = await this.rssAfterGc();
    if (others.length === 0) return undefined;
    await this.requestLoad({ type: 'connect idle', parties: others });
    return (((await this.rssAfterGc()) - rssMb) * 1_024) / others.length;
  }

  private async rssAfterGc(): Promise<number> {
    for (const system of this.running) await system.requestProbe({ type: 'collect garbage' });
    return this.sample().system.rssMb;
  }

  private async onNotice({ phase }: LoadNotice): Promise<void> {
    const profile = Boolean(this.setting.profiles);
    this.samples.push(this.sample());
    if (phase === 'measuring') {
      this.windowStart = performance.now();
      await Promise.all(this.running.map((system) => system.requestProbe({ type: 'begin', profile })));
      if (this.background) await this.requestBackground({ type: 'mark' });
      return;
    }
    const ms = performance.now() - this.windowStart;
    if (this.background) this.backgroundResult = this.requestBackground<BackgroundMeasured>({ type: 'end' });
    const probed = this.running.map((system, index) =>
      system.requestProbe({ type: 'end', ms, ...(profile ? { profile: this.profilePath(index) } : {}) }),
    );
    this.probed = (await Promise.all(probed)).filter((each) => each !== undefined);
  }

  private sample() {
    const { server } = this.setting;
    return {
      system: usageOf(this.running.map(({ pid }) => pid)),
      server: server && usageOf([server.pid]),
    };
  }

  private profilePath(process: number): string {
    return `${this.profile}-${process}.cpuprofile`;
  }

  private requestLoad(request: LoadRequest): Promise<unknown> {
    return this.load.request(request, CONNECT_TIMEOUT_MS);
  }

  private requestBackground<Result>(request: BackgroundRequest): Promise<Result> {
    if (!this.background) throw new Error('This row has no background load');
    return this.background.request<Result>(request, BACKGROUND_TIMEOUT_MS);
  }
}
