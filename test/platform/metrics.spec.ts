import { readFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Gauge } from 'prom-client';
import { WRONG_PASSWORDS_PER_ACCOUNT } from '../../src/auth/login.throttle.js';
import { orderStatuses } from '../../src/contract/transitions.js';
import { messages, routes } from '../../src/contract/wire.js';
import { Metrics } from '../../src/platform/observability/metrics.js';
import { knock } from '../support/handshake.js';
import { TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { samplesOf } from '../support/samples.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const isServer = process.env.TEST_DATABASE_URL !== undefined;

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

  /** Expects a sample to grow by this amount. Metrics may be updated shortly after the answer. */
  async function expectGrowth(sample: string, growth: number, action: () => Promise<unknown>): Promise<void> {
    const currentValue = async () => (await samplesOf(hub)).get(sample) ?? 0;
    const before = await currentValue();
    await action();
    await until(`${sample} grows by ${growth}`, async () => (await currentValue()) === before + growth, 5_000);
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
  ])('count %s', async (sample, growth, action) => {
    await expectGrowth(sample, growth, action);
  });

  test('count events replayed from the database', async () => {
    const reconnected = new Person(hub, buyer.userId, buyer.token);
    const { head } = await buyer.does('room:read', { role: 'buyer', after: 0, limit: 1 });
    await expectGrowth('order_hub_room_events_total{from="database"}', head, () =>
      reconnected.connect({ last: { buyer: 0 } }),
    );
    reconnected.disconnect();
  });

  test('report sockets and rooms', async () => {
    const before = await samplesOf(hub);
    const other = await hub.person();
    await other.connect();
    const after = await samplesOf(hub);
    expect(after.get('order_hub_sockets')).toBe((before.get('order_hub_sockets') ?? 0) + 1);
    expect(after.get('order_hub_rooms')).toBe((before.get('order_hub_rooms') ?? 0) + 2);
  });

  test('do not show which version of Node runs', async () => {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    expect(text).not.toContain(process.version);
    expect(text).not.toContain('nodejs_version_info');
  });

  test('are rendered at a bounded rate, however many scrapes there are', async () => {
    const { registry } = hub.hub.app.get(Metrics);
    let rendered = 0;
    registry.registerMetric(
      new Gauge({
        name: 'order_hub_test_renderings',
        help: 'Counts renderings.',
        registers: [],
        collect: () => {
          rendered++;
        },
      }),
    );
    const startedAt = performance.now();
    for (const _ of range(300)) await hub.hub.app.get(Metrics).text();
    registry.removeSingleMetric('order_hub_test_renderings');
    expect(rendered).toBeLessThan(150 + (performance.now() - startedAt) / 50);
  });

  test('report database connections, event loop lag and the backlog', async () => {
    const samples = await samplesOf(hub);
    for (const state of ['used', 'free', 'waiting']) {
      expect(samples.get(`order_hub_database_connections{state="${state}"}`)).toBeGreaterThanOrEqual(0);
    }
    expect(samples.get('order_hub_queue_commands')).toBe(0);
    expect(samples.get('order_hub_log_lines_dropped_total')).toBe(0);
    expect(samples.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
    expect(samples.has('process_resident_memory_bytes')).toBe(true);
  });

  test('report queued commands while the database is blocked', async () => {
    const blocked = hub.database.transaction(async (tx) => {
      await tx.query(`SELECT stock FROM book_stock${hub.database.dialect.forUpdate}`);
      const orders = Array.from({ length: 20 }, () => buyer.place(seller));
      await until(
        'commands are queued',
        async () => ((await samplesOf(hub)).get('order_hub_queue_commands') ?? 0) > 0,
        2_000,
      );
      const used = (await samplesOf(hub)).get('order_hub_database_connections{state="used"}');
      return { orders, used };
    });
    const { orders, used } = await blocked;
    await Promise.all(orders);
    expect(used).toBeGreaterThan(0);
  });

  test('report orders by status from a cache', async () => {
    // A new hub has nothing cached.
    const other = await TestHub.start();
    const [otherSeller, otherBuyer] = [await other.seller(), await other.buyer()];
    const [first] = [await otherBuyer.place(otherSeller), await otherBuyer.place(otherSeller)];
    await otherBuyer.does('order:pay', { orderId: first.orderId });
    const count = async (status: string) => (await samplesOf(other)).get(`order_hub_orders{status="${status}"}`);
    expect(await Promise.all(orderStatuses.map(count))).toEqual([1, 1, 0, 0, 0]);
    await otherBuyer.place(otherSeller);
    expect(await count('placed')).toBe(1);
    await other.stop();
  });

  test('count orders with a covering index', async () => {
    const plan = JSON.stringify(
      await hub.rows(
        `EXPLAIN ${isServer ? '' : 'QUERY PLAN '}SELECT status, COUNT(*) AS orders FROM orders GROUP BY status`,
      ),
    );
    expect(plan).toMatch(isServer ? /Using index|Covering index/ : /USING COVERING INDEX/);
  });

  test('have no client-controlled labels', async () => {
    const malicious = 'nasty-"}\n1';
    await buyer.sendRaw(malicious, { orderId: malicious });
    await buyer.get(`/stores/${encodeURIComponent(malicious)}`);
    await buyer.get(`/${encodeURIComponent(malicious)}`);
    const labels = new Set(
      [...(await samplesOf(hub)).keys()].flatMap((sample) =>
        sample.startsWith('order_hub_') ? [...sample.matchAll(/message="([^"]*)"/g)].map(([, name]) => name ?? '') : [],
      ),
    );
    const known = [
      ...Object.keys(messages),
      ...Object.values(routes).map(({ method, path }) => `${method} ${path}`),
      ...['wallet:deposit', 'wallet:withdraw', 'stock:add', 'order:timeout', 'unlisted'],
    ];
    expect([...labels].filter((name) => !known.includes(name))).toEqual([]);
  });

  test("report the age of another hub's batches", async () => {
    // The embedded database has only one hub.
    if (!isServer) {
      expect((await samplesOf(hub)).get('order_hub_hint_age_seconds_count')).toBe(0);
      return;
    }
    const other = await TestHub.start({}, { ...database, drop: async () => {} });
    await expectGrowth('order_hub_hint_age_seconds_count', 1, () =>
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
  test('count refusals by limit', async () => {
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

describe('the files of ops/', () => {
  const read = (path: string) => readFileSync(`ops/${path}`, 'utf8');
  const dashboard = read('grafana/dashboards/order-hub.json');
  const alerts = read('prometheus/alerts.yml');
  const namesIn = (text: string) =>
    new Set(
      [...text.matchAll(/\b(?:order_hub|process|nodejs)_\w+/g)].map(([name]) =>
        name.replace(/_(bucket|count|sum)$/, ''),
      ),
    );
  let exported: Set<string>;

  beforeAll(async () => {
    const hub = await TestHub.start();
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''));
    await hub.stop();
  });

  test('only reference exported metrics', () => {
    const referenced = [...namesIn(dashboard), ...namesIn(alerts)];
    expect(referenced.length).toBeGreaterThan(10);
    expect(referenced.filter((name) => !exported.has(name))).toEqual([]);
  });

  test('show every metric of the hub on the dashboard', () => {
    const ownMetrics = [...exported].filter((name) => name.startsWith('order_hub_'));
    expect(ownMetrics.filter((name) => !namesIn(dashboard).has(name))).toEqual([]);
  });

  test('explain every alert', () => {
    const referenced = [...alerts.matchAll(/alert: (\w+)/g)].map(([, name]) => `### ${name}\n`);
    expect(referenced.length).toBeGreaterThan(5);
    expect(referenced.filter((heading) => !read('README.md').includes(heading))).toEqual([]);
  });

  test('have an expression for every alert and panel, and a description for every panel', () => {
    const { panels } = JSON.parse(dashboard) as {
      panels: { type: string; title: string; description?: string; targets?: { expr: string }[] }[];
    };
    const visible = panels.filter(({ type }) => type !== 'row');
    expect(visible.filter(({ description, targets }) => !description || !targets?.every(({ expr }) => expr))).toEqual(
      [],
    );
    expect(alerts.match(/ expr: \S/g)?.length).toBe(alerts.match(/- alert:/g)?.length);
  });
});
