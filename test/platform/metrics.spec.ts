import { readFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WRONG_PASSWORDS_PER_ACCOUNT } from '../../src/auth/login.limits.js';
import { orderStatuses } from '../../src/contract/lifecycle.js';
import { messages, routes } from '../../src/contract/wire.js';
import { knock } from '../support/handshake.js';
import { TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const isServer = process.env.TEST_DATABASE_URL !== undefined;

/** The samples of a hub's metrics: `name{label="value"}` → value. */
async function samplesOf({ url }: Pick<TestHub, 'url'>): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = text.matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm);
  return new Map([...samples].map(([, sample = '', value]) => [sample, Number(value)]));
}

describe('the metrics', () => {
  let database: TestDatabase;
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
    await buyer.connect();
  });
  afterAll(() => hub.stop());

  /** By how much each sample grows while something happens. It may be counted a moment after it was answered. */
  async function grows(sample: string, by: number, happens: () => Promise<unknown>): Promise<void> {
    const now = async () => (await samplesOf(hub)).get(sample) ?? 0;
    const before = await now();
    await happens();
    await until(`${sample} grows by ${by}`, async () => (await now()) === before + by, 5_000);
  }

  test.each<[string, number, () => Promise<unknown>]>([
    ['order_hub_messages_total{way="socket",message="order:place",code="OK"}', 1, () => buyer.place(seller)],
    ['order_hub_message_seconds_count{way="socket",message="order:place"}', 1, () => buyer.place(seller)],
    [
      'order_hub_messages_total{way="socket",message="unlisted",code="UNKNOWN_MESSAGE"}',
      1,
      () => buyer.sendRaw('dance'),
    ],
    ['order_hub_messages_total{way="http",message="GET /wallet",code="OK"}', 1, () => buyer.balance()],
    [
      'order_hub_messages_total{way="http",message="GET /orders/:orderId",code="ORDER_NOT_FOUND"}',
      1,
      () => buyer.get('/orders/x'),
    ],
    [
      'order_hub_messages_total{way="http",message="unlisted",code="UNKNOWN_MESSAGE"}',
      1,
      () => buyer.get('/dance/alone'),
    ],
    ['order_hub_commands_total{message="order:place",code="OK"}', 1, () => buyer.place(seller)],
    [
      'order_hub_commands_total{message="order:place",code="OUT_OF_STOCK"}',
      1,
      () => buyer.isRefused('order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 100_000 }] }),
    ],
    ['order_hub_command_seconds_count{message="order:place"}', 1, () => buyer.place(seller)],
    ['order_hub_batch_commands_sum', 1, () => buyer.place(seller)],
    ['order_hub_batch_seconds_count', 1, () => buyer.place(seller)],
    ['order_hub_batch_phase_seconds_count{phase="load"}', 1, () => buyer.place(seller)],
    ['order_hub_batch_phase_seconds_count{phase="commit"}', 1, () => buyer.place(seller)],
    ['order_hub_room_events_total{from="memory"}', 1, () => buyer.place(seller)],
    ['order_hub_security_events_total{event="handshake-refused"}', 1, () => knock(hub, { token: 'nobody' })],
  ])('count %s', async (sample, by, happens) => {
    await grows(sample, by, happens);
  });

  test('tell what a socket that comes back was given from the database', async () => {
    const back = new Person(hub, buyer.userId, buyer.token);
    const { head } = await buyer.does('room:read', { role: 'buyer', after: 0, limit: 1 });
    await grows('order_hub_room_events_total{from="database"}', head, () => back.connect({ last: { buyer: 0 } }));
    back.disconnect();
  });

  test('tell how many sockets and rooms there are', async () => {
    const before = await samplesOf(hub);
    const other = await hub.person();
    await other.connect();
    const after = await samplesOf(hub);
    expect(after.get('order_hub_sockets')).toBe((before.get('order_hub_sockets') ?? 0) + 1);
    expect(after.get('order_hub_rooms')).toBe((before.get('order_hub_rooms') ?? 0) + 2);
  });

  test('tell the connections to the database, the lag of the event loop and what waits', async () => {
    const samples = await samplesOf(hub);
    for (const state of ['used', 'free', 'waiting']) {
      expect(samples.get(`order_hub_database_connections{state="${state}"}`)).toBeGreaterThanOrEqual(0);
    }
    expect(samples.get('order_hub_queue_commands')).toBe(0);
    expect(samples.get('order_hub_log_lines_dropped_total')).toBe(0);
    expect(samples.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
    expect(samples.has('process_resident_memory_bytes')).toBe(true);
  });

  test('tell how many commands wait while the database is held up', async () => {
    const held = hub.database.transaction(async (tx) => {
      await tx.query(`SELECT stock FROM book_stock${hub.database.dialect.forUpdate}`);
      const orders = Array.from({ length: 20 }, () => buyer.place(seller));
      await until(
        'commands wait',
        async () => ((await samplesOf(hub)).get('order_hub_queue_commands') ?? 0) > 0,
        2_000,
      );
      const used = (await samplesOf(hub)).get('order_hub_database_connections{state="used"}');
      return { orders, used };
    });
    const { orders, used } = await held;
    await Promise.all(orders);
    expect(used).toBeGreaterThan(0);
  });

  test('tell the orders by status, and count them again no sooner than after a while', async () => {
    // Nobody has asked this hub for its metrics yet.
    const other = await TestHub.start();
    const [itsSeller, itsBuyer] = [await other.seller(), await other.buyer()];
    const [first] = [await itsBuyer.place(itsSeller), await itsBuyer.place(itsSeller)];
    await itsBuyer.does('order:pay', { orderId: first.orderId });
    const count = async (status: string) => (await samplesOf(other)).get(`order_hub_orders{status="${status}"}`);
    expect(await Promise.all(orderStatuses.map(count))).toEqual([1, 1, 0, 0, 0]);
    await itsBuyer.place(itsSeller);
    expect(await count('placed')).toBe(1);
    await other.stop();
  });

  test('count orders along an index, without reading one', async () => {
    const plan = JSON.stringify(
      await hub.rows(
        `EXPLAIN ${isServer ? '' : 'QUERY PLAN '}SELECT status, COUNT(*) AS orders FROM orders GROUP BY status`,
      ),
    );
    expect(plan).toMatch(isServer ? /Using index|Covering index/ : /USING COVERING INDEX/);
  });

  test('have no label that a client could choose', async () => {
    const nasty = 'nasty-"}\n1';
    await buyer.sendRaw(nasty, { orderId: nasty });
    await buyer.get(`/stores/${encodeURIComponent(nasty)}`);
    await buyer.get(`/${encodeURIComponent(nasty)}`);
    const labels = new Set(
      [...(await samplesOf(hub)).keys()].flatMap((sample) =>
        sample.startsWith('order_hub_') ? [...sample.matchAll(/message="([^"]*)"/g)].map(([, name]) => name ?? '') : [],
      ),
    );
    const known = [
      ...Object.keys(messages),
      ...Object.values(routes).map(({ method, path }) => `${method} ${path}`),
      ...['wallet:deposit', 'wallet:withdraw', 'stock:add', 'order:due', 'unlisted'],
    ];
    expect([...labels].filter((name) => !known.includes(name))).toEqual([]);
  });

  test('tell how old a batch was that another hub has committed', async () => {
    // The embedded database has one hub, which hears of no other.
    if (!isServer) {
      expect((await samplesOf(hub)).get('order_hub_hint_age_seconds_count')).toBe(0);
      return;
    }
    const other = await TestHub.start({}, { ...database, drop: async () => {} });
    await grows('order_hub_hint_age_seconds_count', 1, () =>
      fetch(`${other.url}/wallet/deposits`, {
        method: 'POST',
        headers: { authorization: `Bearer ${buyer.token}`, 'content-type': 'application/json' },
        body: '{"amount":1}',
      }),
    );
    await other.stop();
  });
});

describe('the metrics of limits', () => {
  test('count what was turned away, by the limit', async () => {
    const hub = await TestHub.start({ rateLimits: true });
    const buyer = await hub.buyer();
    const refused = async (limit: string) => (await samplesOf(hub)).get(`order_hub_refusals_total{limit="${limit}"}`);
    expect(await refused('passwords')).toBeUndefined();
    const login = () => buyer.post('/auth/login', { userId: buyer.userId, password: 'not the password' });
    await Promise.all(Array.from({ length: WRONG_PASSWORDS_PER_ACCOUNT.burst + 5 }, login));
    expect(await refused('passwords')).toBeGreaterThan(0);
    await hub.stop();
  });
});

describe('what ops/ says', () => {
  const read = (path: string) => readFileSync(`ops/${path}`, 'utf8');
  const dashboard = read('grafana/dashboards/order-hub.json');
  const alerts = read('prometheus/alerts.yml');
  const namesIn = (text: string) =>
    new Set(
      [...text.matchAll(/\b(?:order_hub|process|nodejs)_\w+/g)].map(([name]) =>
        name.replace(/_(bucket|count|sum)$/, ''),
      ),
    );
  let offered: Set<string>;

  beforeAll(async () => {
    const hub = await TestHub.start();
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    offered = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''));
    await hub.stop();
  });

  test('the dashboard and the alerts name no metric that is not there', () => {
    const named = [...namesIn(dashboard), ...namesIn(alerts)];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !offered.has(name))).toEqual([]);
  });

  test('every metric of the hub is on the dashboard', () => {
    const own = [...offered].filter((name) => name.startsWith('order_hub_'));
    expect(own.filter((name) => !namesIn(dashboard).has(name))).toEqual([]);
  });

  test('every alert is explained under its name', () => {
    const named = [...alerts.matchAll(/alert: (\w+)/g)].map(([, name]) => `### ${name}\n`);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((heading) => !read('README.md').includes(heading))).toEqual([]);
  });

  test('every alert and panel has an expression, and every panel says what it shows', () => {
    const { panels } = JSON.parse(dashboard) as {
      panels: { type: string; title: string; description?: string; targets?: { expr: string }[] }[];
    };
    const shown = panels.filter(({ type }) => type !== 'row');
    expect(shown.filter(({ description, targets }) => !description || !targets?.every(({ expr }) => expr))).toEqual([]);
    expect(alerts.match(/ expr: \S/g)?.length).toBe(alerts.match(/- alert:/g)?.length);
  });
});
