import { Auditor } from './auditor.js';
import { randomOf } from './chaos.js';
import { ClientPool } from './client.pool.js';
import { DatabaseReader } from './database.reader.js';
import { History, outcomeOf } from './history.js';
import { TestHub, until } from './hub.js';
import { type MarketUser, seedMarket } from './market.seed.js';
import { StaffRota } from './staff.rota.js';
import type { TestDatabase } from './test.database.js';

const SELLERS_SHARE = 0.1;
/** As many sellers at most have a staff: its members are clients besides the others. */
const STAFFED_MAX = 2;
/** Short enough that a fault always hits commands in flight, long enough that a long run can still be verified. */
const PAUSE_MS = 300;
const PROGRESS_WITHIN_MS = 20_000;

interface RunOptions {
  clients: number;
  /** The hubs' URLs. The hubs may start after the market is seeded. */
  urls: () => readonly string[];
  seed: number;
  /** The longest pause of a buyer between two orders. */
  pauseMs?: number;
  /** Whether to wait at the end for all order timeouts; the hubs' timeouts must be short. */
  waitForDue?: boolean;
}

/** A pool of clients under load on hubs that a test injects faults into, with an auditor running. */
export class MarketRun {
  private constructor(
    private readonly history: History,
    private readonly pool: ClientPool,
    private readonly auditor: Auditor,
    private readonly buyers: readonly string[],
    private readonly rota: StaffRota,
    private readonly reader: DatabaseReader,
    private readonly waitForDue: boolean,
  ) {}

  /** Seeds a market on an empty database, starts the hubs, and connects the clients. */
  static async start(
    database: TestDatabase,
    { clients, urls, seed, pauseMs = PAUSE_MS, waitForDue = false }: RunOptions,
    startHubs: () => Promise<unknown>,
  ): Promise<MarketRun> {
    const hub = await TestHub.start({}, database);
    const sellers = Math.round(clients * SELLERS_SHARE);
    const users = await seedMarket(hub, { sellers, buyers: clients - sellers, staffed: STAFFED_MAX });
    await hub.leave();
    const reader = new DatabaseReader(database);
    const history = await reader.snapshot((books) => History.begin(books));
    const auditor = await Auditor.start(database, { history });
    await startHubs();
    const members = users.flatMap(({ userId, actingFor: ownerId }) => {
      const { token: ownerToken } = users.find((user) => user.userId === ownerId) ?? {};
      return ownerId === undefined || ownerToken === undefined ? [] : [{ userId, ownerId, ownerToken }];
    });
    const rota = new StaffRota({ members, urls, history, books: reader, random: randomOf('staff') });
    await rota.hireAll();
    const pool = await new ClientPool({ users, urls, history, seed, pauseMs }).start();
    rota.start();
    const isBuyer = ({ storeId, actingFor }: MarketUser) => storeId === '' && actingFor === undefined;
    const buyers = users.filter(isBuyer).map(({ userId }) => userId);
    return new MarketRun(history, pool, auditor, buyers, rota, reader, waitForDue);
  }

  /** Attempts that were not answered within five seconds on an open connection. */
  get timeouts(): number {
    return this.history.sent.reduce((sum, { timeouts }) => sum + timeouts, 0);
  }

  get slowestMs(): number {
    const all = this.history.sent.flatMap(({ answers }) => answers.map(({ ms }) => ms));
    return Math.round(all.reduce((most, ms) => Math.max(most, ms), 0));
  }

  /** Counts for the report. */
  counts(): Record<string, unknown> {
    const { sent, sessions } = this.history;
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    return {
      commands: sent.length,
      attempts: sum(sent.map(({ attempts }) => attempts)),
      retried: sent.filter(({ attempts }) => attempts > 1).length,
      replayed: sent.filter(({ answers }) => answers.some(({ answer }) => answer.replayed)).length,
      sockets: sessions.length,
      'events received': sum(sessions.map(({ events }) => events.length)),
      'members removed': this.rota.removals,
      'orders claimed': sent.filter((each) => each.message === 'order:claim' && outcomeOf(each) === 'OK').length,
      'kept off by claims': sent.filter((each) => outcomeOf(each) === 'CLAIMED').length,
      'refused once removed': sent.filter((each) => each.actingFor && outcomeOf(each) === 'FORBIDDEN').length,
      audits: this.auditor.audits,
    };
  }

  /** Waits until another command is answered. */
  async progresses(): Promise<void> {
    const before = this.pool.answered;
    await until('commands are answered', () => this.pool.answered > before, PROGRESS_WITHIN_MS);
  }

  /** Waits until every buyer has received a final answer from now on. */
  async everyBuyerProgresses(withinMs: number): Promise<void> {
    const since = performance.now();
    const waiting = () => this.buyers.filter((userId) => (this.history.settledAt.get(userId) ?? 0) <= since);
    await until('every buyer progresses', () => waiting().length === 0, withinMs).catch((error: unknown) => {
      const open = this.history.sent.filter(({ userId }) => waiting().includes(userId)).slice(-3);
      throw new Error(`${String(error)}: ${JSON.stringify(open)}`);
    });
  }

  /** Stops the load and returns the faults found by the auditor. */
  async finish(): Promise<string[]> {
    await this.rota.stop();
    await this.pool.close();
    if (this.waitForDue) {
      const due = async () => (await this.reader.rows('SELECT order_id FROM orders WHERE due_at IS NOT NULL')).length;
      await until('no order is due', async () => (await due()) === 0);
    }
    await this.reader.close();
    await this.auditor.settled();
    await this.pool.stop();
    return this.auditor.finish();
  }
}
