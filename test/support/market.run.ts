import { Auditor } from './auditor.js';
import { Crowd, furnish } from './crowd.js';
import { DatabaseReader } from './database.reader.js';
import { History } from './history.js';
import { TestHub, until } from './hub.js';
import type { TestDatabase } from './test.database.js';

const SELLERS_SHARE = 0.1;
/** Enough load that a fault always meets work under way, and not so much that a long run cannot be checked. */
const PAUSE_MS = 300;
const GOES_ON_WITHIN_MS = 20_000;

interface RunOptions {
  clients: number;
  /** Where the hubs are. They may be started after the market was furnished. */
  urls: () => readonly string[];
  seed: number;
  /** How long a buyer thinks between two orders, at most. */
  pauseMs?: number;
  /** Whether the hubs have times so short that whatever comes due does so before the end. */
  endsDue?: boolean;
}

/** A crowd at work on hubs to which a test does what it likes, and an auditor who watches. */
export class MarketRun {
  private constructor(
    private readonly history: History,
    private readonly crowd: Crowd,
    private readonly auditor: Auditor,
    private readonly buyers: readonly string[],
    private readonly reader: DatabaseReader | undefined,
  ) {}

  /** Furnishes a market on an empty database, starts what serves it, and lets the crowd in. */
  static async start(
    database: TestDatabase,
    { clients, urls, seed, pauseMs = PAUSE_MS, endsDue = false }: RunOptions,
    startHubs: () => Promise<unknown>,
  ): Promise<MarketRun> {
    const hub = await TestHub.start({}, database);
    const sellers = Math.round(clients * SELLERS_SHARE);
    const members = await furnish(hub, sellers, clients - sellers);
    await hub.leave();
    const reader = new DatabaseReader(database);
    const history = await reader.snapshot((books) => History.begin(books));
    if (!endsDue) await reader.close();
    const auditor = await Auditor.start(database, { history });
    await startHubs();
    const crowd = await new Crowd({ members, urls, history, seed, pauseMs }).start();
    const buyers = members.filter(({ storeId }) => storeId === '').map(({ userId }) => userId);
    return new MarketRun(history, crowd, auditor, buyers, endsDue ? reader : undefined);
  }

  /** Attempts that were not answered within five seconds although the line stayed. */
  get silent(): number {
    return this.history.sent.reduce((sum, { silent }) => sum + silent, 0);
  }

  get slowestMs(): number {
    const all = this.history.sent.flatMap(({ answers }) => answers.map(({ ms }) => ms));
    return Math.round(all.reduce((most, ms) => Math.max(most, ms), 0));
  }

  /** What commands came to, and what was heard of it. */
  counts(): Record<string, unknown> {
    const { sent, sittings } = this.history;
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    return {
      commands: sent.length,
      attempts: sum(sent.map(({ attempts }) => attempts)),
      'sent again until answered': sent.filter(({ attempts }) => attempts > 1).length,
      replayed: sent.filter(({ answers }) => answers.some(({ answer }) => answer.replayed)).length,
      sockets: sittings.length,
      'events heard': sum(sittings.map(({ events }) => events.length)),
      looks: this.auditor.looks,
    };
  }

  /** Waits until a command is answered that was not answered before. */
  async goesOn(): Promise<void> {
    const before = this.crowd.answered;
    await until('commands are answered', () => this.crowd.answered > before, GOES_ON_WITHIN_MS);
  }

  /** Waits until every buyer has had a command answered for good, from now on. */
  async everybodyGoesOn(withinMs: number): Promise<void> {
    const since = performance.now();
    const waiting = () => this.buyers.filter((userId) => (this.history.settledAt.get(userId) ?? 0) <= since);
    await until('every buyer goes on', () => waiting().length === 0, withinMs).catch((error: unknown) => {
      const open = this.history.sent.filter(({ userId }) => waiting().includes(userId)).slice(-3);
      throw new Error(`${String(error)}: ${JSON.stringify(open)}`);
    });
  }

  /** Closes the market, and gives what the auditor has found. */
  async finish(): Promise<string[]> {
    await this.crowd.close();
    if (this.reader) {
      const due = async () => (await this.reader?.rows('SELECT order_id FROM orders WHERE due_at IS NOT NULL'))?.length;
      await until('all that was due is done', async () => (await due()) === 0);
      await this.reader.close();
    }
    await this.auditor.settled();
    await this.crowd.stop();
    return this.auditor.finish();
  }
}
