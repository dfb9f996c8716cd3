import { createHash } from 'node:crypto';
import { type OrderStatus, orderStatuses } from '../../src/contract/lifecycle.js';
import { DatabaseReader } from '../support/database.reader.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { exampleFor, type Row, stepOfRow } from './rows.js';

export const PRICE = 1_000;
export const COUNT = 2;
export const TOTAL = PRICE * COUNT;
export const DEAR_PRICE = 10 ** 12;
export const SHORT_STOCK = 3;
/** Whoever tries bad input does not stay within the limits of a careful client. */
const VARIABLES = { RATE_LIMITS: 'off', LOG_LEVEL: 'info', UNPAID_TTL_SECONDS: '3600' };
/** Written to by logging in and by the hub's own bookkeeping. The rest is what no bad message may change. */
const EPHEMERAL = ['sessions', 'ended_sessions', 'hub_batches', 'migrations', 'sqlite_sequence'];

/** The hub may keep the connections of its database's pool, and the one on which it is asked. */
const HANDLES_TO_KEEP = 12;

const measures = {
  sockets: 'order_hub_sockets',
  handles: 'nodejs_active_handles_total',
  megabytes: 'process_resident_memory_bytes',
};
type Measure = keyof typeof measures;

type Part = 'buyer' | 'seller' | 'stranger' | 'poor';
interface Actor {
  userId: string;
  token: string;
}

/** What stands on the stage before it begins. */
interface Scene {
  people: Record<Part, Actor>;
  /** The seller's store, somebody else's with `other-book`, and one whose owner has left. */
  stores: Record<'own' | 'other' | 'gone', string>;
  /** An order of the buyer in each status, and one of the buyer who cannot pay it. */
  orders: Record<OrderStatus | 'unaffordable', string>;
  /** For each row that moves an order, one that it may move; for each row of accounts, somebody who may leave. */
  movable: Map<string, string>;
  leavers: Map<string, Actor>;
}

/** A hub as a process of its own, and people with a story: stores, books, money, and orders in every status. */
export class Stage {
  private count = 0;

  private constructor(
    readonly hub: HubProcess,
    readonly reader: DatabaseReader,
    private readonly database: TestDatabase,
    readonly scene: Scene,
    private readonly tables: string[],
    private readonly atRest: Record<Measure, number>,
  ) {}

  static async set(rows: Row[] = []): Promise<Stage> {
    const database = await createTestDatabase();
    // Furnished by a hub in this process, which need not hash passwords; then handed on to the one that is tried.
    const hub = await TestHub.start({}, database);
    const scene = await furnish(hub, rows);
    await hub.leave();
    const reader = new DatabaseReader(database);
    const tried = await HubProcess.start(database, VARIABLES);
    return new Stage(tried, reader, database, scene, await tablesOf(reader, database), await measure(tried.url));
  }

  get megabytesAtRest(): number {
    return this.atRest.megabytes;
  }

  get url(): string {
    return this.hub.url;
  }

  /** Who says this: the party that the contract names, or somebody who can be spared. */
  actorOf(row: Row): Actor {
    const { people, leavers } = this.scene;
    return leavers.get(row.name) ?? people[stepOfRow(row)?.by ?? (sells(row) ? 'seller' : 'buyer')];
  }

  /** A message that this row takes, and that would have its effect. */
  validFor(row: Row): Record<string, unknown> {
    const { stores, movable, people, orders } = this.scene;
    const n = ++this.count;
    const path = row.route?.path ?? '';
    const named = {
      storeId: stores.own,
      bookId: 'book-1',
      count: COUNT,
      expectedTotal: TOTAL,
      price: PRICE,
      orderId: movable.get(row.name) ?? orders.paid,
      userId: this.actorOf(row).userId,
      owner: people.seller.userId,
      after: 0,
      key: `key-${n}`,
    };
    // What is created has an id that nothing has yet.
    const creates = row.route?.status === 201 && !isPlacing(row);
    const fresh = ['storeId', 'bookId', 'userId'].filter((name) => creates && !path.includes(`:${name}`));
    return exampleFor(row, { ...named, ...Object.fromEntries(fresh.map((name) => [name, `new-${n}`])) });
  }

  /** What every table holds that a message could change, in one word. */
  async fingerprint(): Promise<string> {
    return this.reader.snapshot(async (books) => {
      const hash = createHash('sha256');
      for (const table of this.tables) {
        const rows = await books.rows(`SELECT * FROM ${table}`);
        hash.update(
          `${table}\n${rows
            .map((row) => JSON.stringify(row))
            .sort()
            .join('\n')}\n`,
        );
      }
      return hash.digest('hex');
    });
  }

  /** Waits until the hub holds as little as before anybody spoke, and gives how many megabytes it has grown by. */
  async comesToRest(): Promise<number> {
    const { handles, megabytes } = this.atRest;
    await until('sockets and handles are given back', async () => {
      const now = await measure(this.url);
      return now.sockets === 0 && now.handles <= handles + HANDLES_TO_KEEP;
    });
    return (await measure(this.url)).megabytes - megabytes;
  }

  /** Ends the hub, and gives how it ended. */
  async strike(): Promise<number | null> {
    const code = await this.hub.terminate();
    await this.reader.close();
    await this.database.drop();
    return code;
  }
}

/** What Prometheus would read. */
async function measure(url: string): Promise<Record<Measure, number>> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  const read = (name: string) => {
    const line = lines.find((each) => each.startsWith(`${name} `));
    if (!line) throw new Error(`The hub does not measure ${name}`);
    return Number(line.split(' ')[1]);
  };
  const megabytes = Math.round(read(measures.megabytes) / 2 ** 20);
  return { sockets: read(measures.sockets), handles: read(measures.handles), megabytes };
}

async function furnish(hub: TestHub, rows: Row[]): Promise<Scene> {
  const shelf = [
    { stock: 900_000, price: PRICE },
    { stock: SHORT_STOCK, price: PRICE },
    { stock: 0, price: PRICE },
    { stock: 900_000, price: DEAR_PRICE },
  ];
  const [seller, other, gone] = [
    await hub.seller(shelf),
    await hub.seller([{ bookId: 'other-book' }]),
    await hub.seller(),
  ];
  await gone.post('/auth/unregister', { password: PASSWORD });
  const [buyer, stranger, poor] = [await hub.buyer(10 ** 9), await hub.buyer(10 ** 9), await hub.buyer(TOTAL - 1)];
  const orders = { unaffordable: await orderIn('placed', poor, seller) } as Scene['orders'];
  for (const status of orderStatuses) orders[status] = await orderIn(status, buyer, seller);
  const movable: Scene['movable'] = new Map();
  const leavers: Scene['leavers'] = new Map();
  for (const row of rows) {
    const step = stepOfRow(row);
    if (step) movable.set(row.name, await orderIn(step.from, buyer, seller));
    if (row.route?.path.startsWith('/auth/')) leavers.set(row.name, await hub.person());
  }
  await seller.deposit(10 ** 6);
  return {
    people: { buyer, seller, stranger, poor },
    stores: { own: seller.storeId, other: other.storeId, gone: gone.storeId },
    orders,
    movable,
    leavers,
  };
}

async function orderIn(status: OrderStatus, buyer: Person, seller: Person): Promise<string> {
  const { orderId } = await buyer.place(seller, [{ bookId: 'book-1', count: COUNT }]);
  if (status === 'cancelled') await buyer.does('order:cancel', { orderId });
  const steps = ['placed', 'paid', 'shipped', 'received'].indexOf(status);
  if (steps >= 1) await buyer.does('order:pay', { orderId });
  if (steps >= 2) await seller.does('order:ship', { orderId });
  if (steps >= 3) await buyer.does('order:receive', { orderId });
  return orderId;
}

function sells({ route }: Row): boolean {
  return route?.path.startsWith('/stores') ?? false;
}

function isPlacing({ request }: Row): boolean {
  return 'shape' in request && Object.hasOwn(request.shape as object, 'items');
}

async function tablesOf(reader: DatabaseReader, { url }: TestDatabase): Promise<string[]> {
  const sql = url.startsWith('sqlite:')
    ? "SELECT name AS name FROM sqlite_master WHERE type = 'table'"
    : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()';
  const names = (await reader.rows<{ name: string }>(sql)).map(({ name }) => name);
  return names.filter((name) => !EPHEMERAL.includes(name)).sort();
}
