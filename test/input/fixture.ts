import { createHash } from 'node:crypto';
import { rightsFor } from '../../src/contract/row.js';
import { type OrderStatus, orderStatuses } from '../../src/contract/transitions.js';
import { DatabaseReader } from '../support/database.reader.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { withTestProvider } from '../support/payments.js';
import type { Person } from '../support/person.js';
import { BrowserSubscription } from '../support/push.endpoint.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { exampleFor, type Row, transitionOf } from './rows.js';

export const PRICE = 1_000;
export const COUNT = 2;
export const TOTAL = PRICE * COUNT;
export const DEAR_PRICE = 10 ** 12;
export const SHORT_STOCK = 3;
/** A book that only cancelled orders hold: cancelling may leave none of it. */
const WITHDRAWN = 'withdrawn-book';
/** Bad input is sent faster than the rate limits allow. */
const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';
const VARIABLES = {
  ...{ OPERATOR_KEY, RATE_LIMITS: 'off', LOG_LEVEL: 'info', UNPAID_TTL_SECONDS: '3600' },
  ...{ FUNDS: 'provider', PAYMENT_PROVIDER: 'test', SETTLE_AT: 'received' },
};
/** Tables that logins, deliveries and the hub's bookkeeping write to. No bad message may change the others. */
const EPHEMERAL = [
  'sessions',
  'ended_sessions',
  'known_addresses',
  'leases',
  'hub_batches',
  'migrations',
  'sqlite_sequence',
  'webhooks',
  'push_cursors',
  'push_notices',
  'push_presence',
  'vapid_keys',
];

/** The columns of tables in which the hub itself notes when it has asked the payment provider. */
const STEADY_COLUMNS: Record<string, string> = {
  topups: 'topup_id, user_id, order_id, amount, status',
  payouts: 'payout_id, user_id, amount',
};

/** The connections of both database pools, and those that read the metrics. */
const EXTRA_HANDLES_MAX = 22;
/** How long the memory is sampled. */
const MEMORY_SETTLES_MS = 8_000;

const metricNames = {
  sockets: 'order_hub_sockets',
  handles: 'nodejs_active_handles_total',
  heap: 'nodejs_heap_size_used_bytes',
  buffers: 'nodejs_external_memory_bytes',
};
type Metric = 'sockets' | 'handles' | 'megabytes';

type Role = 'buyer' | 'seller' | 'stranger' | 'poor';
interface Account {
  userId: string;
  token: string;
}

/** The rows that exist before the tests. */
interface SeedData {
  people: Record<Role, Account>;
  /** The seller's store, one of the seller's to open and close, another seller's with `other-book`, one whose owner has unregistered. */
  stores: Record<'own' | 'spare' | 'other' | 'gone', string>;
  /** An order of the buyer in each status, and one that its buyer cannot afford. */
  orders: Record<OrderStatus | 'unaffordable', string>;
  /** By row: an order that its command may move, and an account that its route may end. */
  movableOrders: Map<string, string>;
  leavers: Map<string, Account>;
  /** An API key and a further session of those who may end them. */
  tokens: { keyId: string; sessionId: string };
  /** A paused webhook of the seller for each row that names one. */
  webhooks: Map<string, string>;
  /** A push subscription of the buyer. */
  subscriptionId: string;
  /** A top-up of the buyer. */
  topupId: string;
}

/** A hub process on a database with users, stores, books, money, and orders in every status. */
export class Fixture {
  private messageCount = 0;

  private constructor(
    readonly hub: HubProcess,
    readonly reader: DatabaseReader,
    private readonly database: TestDatabase,
    readonly data: SeedData,
    private readonly tables: string[],
    private readonly baseline: Record<Metric, number>,
  ) {}

  static async create(rows: Row[] = []): Promise<Fixture> {
    const database = await createTestDatabase();
    // Seeded by an in-process hub, which can skip password hashing.
    const hub = await TestHub.start(withTestProvider, database);
    const data = await seed(hub, rows);
    await hub.leave();
    const reader = new DatabaseReader(database);
    const hubUnderTest = await HubProcess.start(database, VARIABLES);
    return new Fixture(
      hubUnderTest,
      reader,
      database,
      data,
      await tablesOf(reader, database),
      await readMetrics(hubUnderTest.url),
    );
  }

  get baselineMegabytes(): number {
    return this.baseline.megabytes;
  }

  get url(): string {
    return this.hub.url;
  }

  /** The sender of a row's messages: the role that the contract requires, or a disposable account. */
  senderOf(row: Row): Account {
    const { people, leavers } = this.data;
    if (isOperators(row)) return { userId: '', token: OPERATOR_KEY };
    return leavers.get(row.name) ?? people[transitionOf(row)?.by ?? (isSellerRoute(row) ? 'seller' : 'buyer')];
  }

  /** A valid message for the row, which would take effect. */
  validFor(row: Row): Record<string, unknown> {
    const { stores, movableOrders, people, orders } = this.data;
    const n = ++this.messageCount;
    const path = row.route?.path ?? '';
    const orderId = movableOrders.get(row.name) ?? (path === '/wallet/topups' ? orders.placed : orders.paid);
    const values = {
      storeId: path === '/stores/:storeId' ? stores.spare : stores.own,
      bookId: bookOf(row),
      count: COUNT,
      expectedTotal: TOTAL,
      price: PRICE,
      orderId,
      orderIds: [orderId],
      userId: isWebhookRow(row)
        ? people.seller.userId
        : (this.data.leavers.get(row.name)?.userId ?? (this.senderOf(row).userId || people.buyer.userId)),
      topupId: this.data.topupId,
      webhookId: this.data.webhooks.get(row.name) ?? '',
      subscriptionId: this.data.subscriptionId,
      url: 'https://shop.example/order-events',
      owner: people.seller.userId,
      expiresAt: '2999-01-01T00:00:00.000Z',
      keyId: this.data.tokens.keyId,
      sessionId: this.data.tokens.sessionId,
      after: 0,
      unavailable: [WITHDRAWN],
      key: `key-${n}`,
    };
    // Somebody who is there already joins the staff, and leaves it.
    const isOfStaff = path.startsWith('/staff');
    if (isOfStaff) values.userId = people.stranger.userId;
    // A creation needs an unused id.
    const isCreation = row.route?.status === 201 && !isPlacing(row) && !isOfStaff;
    const newIds = ['storeId', 'bookId', 'userId'].filter(
      (name) => isCreation && !isWebhookRow(row) && !path.includes(`:${name}`),
    );
    return exampleFor(row, { ...values, ...Object.fromEntries(newIds.map((name) => [name, `new-${n}`])) });
  }

  /** A hash of all tables that a message could change. */
  async fingerprint(): Promise<string> {
    return this.reader.snapshot(async (books) => {
      const hash = createHash('sha256');
      for (const table of this.tables) {
        const rows = await books.rows(`SELECT ${STEADY_COLUMNS[table] ?? '*'} FROM ${table}`);
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

  /** Waits until sockets and handles are back at the baseline. Returns the growth of the memory in megabytes. */
  async settle(): Promise<number> {
    const { handles, megabytes } = this.baseline;
    await until('sockets and handles are released', async () => {
      const metrics = await readMetrics(this.url);
      return metrics.sockets === 0 && metrics.handles <= handles + EXTRA_HANDLES_MAX;
    });
    // Garbage that is not collected yet is not a leak. Reading the metrics makes more, until it is collected.
    let growth = Number.POSITIVE_INFINITY;
    for (const deadline = Date.now() + MEMORY_SETTLES_MS; Date.now() < deadline; ) {
      growth = Math.min(growth, (await readMetrics(this.url)).megabytes - megabytes);
    }
    return growth;
  }

  /** Stops the hub and returns its exit code. */
  async close(): Promise<number | null> {
    const code = await this.hub.terminate();
    await this.reader.close();
    await this.database.drop();
    return code;
  }
}

/** One that may be hidden, for the route that can hide it, and one that may be sold out, for cancelling. */
function bookOf({ name, route }: Row): string {
  if (route?.method === 'PATCH') return 'book-5';
  return name.endsWith('cancel') ? WITHDRAWN : 'book-1';
}

/** Reads the hub's metrics. */
async function readMetrics(url: string): Promise<Record<Metric, number>> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  const read = (name: string) => {
    const line = lines.find((each) => each.startsWith(`${name} `));
    if (!line) throw new Error(`The hub has no metric ${name}`);
    return Number(line.split(' ')[1]);
  };
  // Not the resident memory: it holds what the allocator keeps, which differs by machine and by load.
  const megabytes = Math.round((read(metricNames.heap) + read(metricNames.buffers)) / 2 ** 20);
  return { sockets: read(metricNames.sockets), handles: read(metricNames.handles), megabytes };
}

async function seed(hub: TestHub, rows: Row[]): Promise<SeedData> {
  const shelf = [
    { stock: 900_000, price: PRICE },
    { stock: SHORT_STOCK, price: PRICE },
    { stock: 0, price: PRICE },
    { stock: 900_000, price: DEAR_PRICE },
    { stock: 1, price: PRICE },
    { bookId: WITHDRAWN, stock: 900_000, price: PRICE },
  ];
  const [seller, other, gone] = [
    await hub.seller(shelf),
    await hub.seller([{ bookId: 'other-book' }]),
    await hub.seller(),
  ];
  await gone.post('/auth/unregister', { password: PASSWORD });
  const spare = hub.name('store');
  await seller.post('/stores', { storeId: spare });
  const [buyer, stranger, poor] = [await hub.buyer(10 ** 9), await hub.buyer(10 ** 9), await hub.buyer(TOTAL - 1)];
  const orders = { unaffordable: await orderWithStatus('placed', poor, seller) } as SeedData['orders'];
  for (const status of orderStatuses) orders[status] = await orderWithStatus(status, buyer, seller);
  const movableOrders: SeedData['movableOrders'] = new Map();
  const leavers = new Map<string, Person>();
  for (const row of rows) {
    const transition = transitionOf(row);
    const bookId = row.name.endsWith('cancel') ? WITHDRAWN : 'book-1';
    if (transition) movableOrders.set(row.name, await orderWithStatus(transition.from, buyer, seller, bookId));
    if (/^\/(auth|me)\//.test(row.route?.path ?? '')) leavers.set(row.name, await hub.person());
  }
  const tokens = {
    keyId: await keyOf(leavers.get('DELETE /auth/keys/:keyId')),
    sessionId: await sessionOf(leavers.get('DELETE /auth/sessions/:sessionId')),
  };
  const webhooks: SeedData['webhooks'] = new Map();
  for (const { name, route } of rows) {
    if (!route?.path.includes(':webhookId')) continue;
    const request = { url: 'https://shop.example/order-events', role: 'seller' };
    const { body } = await seller.post<{ webhookId: string }>('/webhooks', request);
    await seller.patch(`/webhooks/${body.webhookId}`, { paused: true });
    webhooks.set(name, body.webhookId);
  }
  const subscription = new BrowserSubscription('https://push.example/send').toJSON();
  const subscribed = await buyer.post<{ subscriptionId: string }>('/push/subscriptions', { subscription });
  await seller.deposit(10 ** 6);
  const { body: topup } = await buyer.post<{ topupId: string }>('/wallet/topups', { amount: PRICE });
  return {
    people: { buyer, seller, stranger, poor },
    stores: { own: seller.storeId, spare, other: other.storeId, gone: gone.storeId },
    orders,
    movableOrders,
    leavers,
    tokens,
    webhooks,
    subscriptionId: subscribed.body.subscriptionId,
    topupId: topup.topupId,
  };
}

function isWebhookRow({ route }: Row): boolean {
  return route?.path.startsWith('/webhooks') ?? false;
}

async function keyOf(owner: Person | undefined): Promise<string> {
  const request = { name: 'till', rights: ['read'] };
  return (await owner?.post<{ keyId: string }>('/auth/keys', request))?.body.keyId ?? '';
}

async function sessionOf(user: Person | undefined): Promise<string> {
  await user?.post('/auth/login', { userId: user.userId, password: PASSWORD });
  const sessions = await user?.get<{ items: { sessionId: string; current: boolean }[] }>('/auth/sessions');
  return sessions?.body.items.find(({ current }) => !current)?.sessionId ?? '';
}

async function orderWithStatus(status: OrderStatus, buyer: Person, seller: Person, bookId = 'book-1'): Promise<string> {
  const { orderId } = await buyer.place(seller, [{ bookId, count: COUNT }]);
  if (status === 'cancelled') await buyer.does('order:cancel', { orderId });
  const steps = ['placed', 'paid', 'shipped', 'received'].indexOf(status);
  if (steps >= 1) await buyer.does('order:pay', { orderId });
  if (steps >= 2) await seller.does('order:ship', { orderId });
  if (steps >= 3) await buyer.does('order:receive', { orderId });
  return orderId;
}

/** Whether the operator's key has to send it, where money comes from a payment provider. */
function isOperators({ route }: Row): boolean {
  return rightsFor(route ?? {}).includes('sessions') || route?.rightWithProvider !== undefined;
}

function isSellerRoute({ route }: Row): boolean {
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
