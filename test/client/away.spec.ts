import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createApi } from '../../src/client/connect.js';
import { type Follower, follow, hearsUpTo, isLive } from '../support/follower.js';
import { until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const STOCK = 1_000;

/** Hubs that are killed, drained, frozen and restarted on the same port, and connections that break. */
describe('the client library during an outage', () => {
  let database: TestDatabase;
  let hub: HubProcess;
  let seller: Person;
  let buyer: Person;
  let at: Follower;
  let shop: Follower;
  let bookId: string;
  let tests = 0;
  const open: Follower[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database, {}, { crash: true });
    seller = await hub.register('seller');
    seller.storeId = 'store';
    await seller.post('/stores', { storeId: 'store' });
  }, 120_000);
  beforeEach(async () => {
    bookId = `book-${++tests}`;
    await seller.post('/stores/store/books', { bookId, title: 'Book', price: 10, stock: STOCK });
    buyer = await hub.register(`buyer-${tests}`);
    await buyer.deposit(10 * STOCK);
    [at, shop] = [page(buyer), page(seller)];
    await Promise.all([isLive(at), isLive(shop)]);
  });
  afterEach(() => {
    for (const { client } of open.splice(0)) client.close();
  });
  afterAll(async () => {
    await hub.kill();
    await database.drop();
  });

  const page = (person: Person, url = hub.url) => {
    const follower = follow(url, person);
    open.push(follower);
    return follower;
  };
  const restart = async () => {
    hub = await HubProcess.start(database, {}, { crash: true, port: Number(new URL(hub.url).port) });
  };
  const one = () => ({ storeId: 'store', items: [{ bookId, count: 1 }], expectedTotal: 10 });
  const stock = async () => (await createApi({ url: hub.url }).call('book', { storeId: 'store', bookId })).stock;

  /** Checks that each order exists once, and that both parties received its event once, in order. */
  const expectOnceEach = async (orderIds: string[]) => {
    expect(new Set(orderIds).size).toBe(orderIds.length);
    expect(STOCK - (await stock())).toBe(orderIds.length);
    expect(await hearsUpTo(at, 'buyer', orderIds.length)).toEqual(range(orderIds.length).map((index) => index + 1));
    expect(at.events.map(({ orderId }) => orderId)).toEqual(orderIds);
    const sellersOrders = () =>
      shop.events.filter(({ buyerId }) => buyerId === buyer.userId).map(({ orderId }) => orderId);
    await until('the seller has received all events', () => sellersOrders().length >= orderIds.length);
    expect(sellersOrders()).toEqual(orderIds);
  };

  test.each(['after-commit', 'after-first-ack'])(
    'a hub killed at `%s`: each command takes effect once, in order, and each call is answered',
    async (point) => {
      await hub.crashAt(point, point === 'after-first-ack' ? 1 : 2);
      const placing = range(40).map(() => at.client.place(one()));
      await hub.ended;
      await until('both clients are offline', () => at.client.state === 'offline' && shop.client.state === 'offline');
      const late = at.client.place(one());
      const controller = new AbortController();
      const aborted = at.client.place(one(), { signal: controller.signal });
      controller.abort(new Error('aborted'));
      await expect(aborted).rejects.toThrow('aborted');
      await restart();
      const placed = await Promise.all([...placing, late]);
      await expectOnceEach(placed.map(({ orderId }) => orderId));
      await Promise.all([isLive(at), isLive(shop)]);
      expect([at.resets, shop.resets, at.pending.at(-1)]).toEqual([[], [], 0]);
    },
  );

  test('a new client that resends a command with its key receives the first answer', async () => {
    await hub.crashAt('after-commit');
    const first = at.client.place(one(), { key: 'stored' });
    await hub.ended;
    at.client.close();
    await expect(first).rejects.toMatchObject({ code: 'CLOSED' });
    await restart();
    at = page(buyer);
    const { orderId } = await at.client.place(one(), { key: 'stored' });
    expect((await at.client.list({ role: 'buyer' })).items.map((order) => order.orderId)).toEqual([orderId]);
    expect(STOCK - (await stock())).toBe(1);
  });

  test('a drained hub: the client reconnects no sooner than requested and resends what was not executed', async () => {
    const proxy = await TcpProxy.before(hub.url);
    const draining = proxy.overhear(/^42\["hub:draining",/);
    await proxy.open();
    at = page(buyer, proxy.url);
    await isLive(at);
    let reconnectedAt = 0;
    at.client.on('ready', () => {
      reconnectedAt = Date.now();
    });
    const ending = hub.terminate();
    const placed: Promise<{ orderId: string }>[] = [];
    while (!hub.hasEnded) {
      placed.push(at.client.place(one()));
      await sleep(5);
    }
    expect(await ending).toBe(0);
    await restart();
    await expectOnceEach((await Promise.all(placed)).map(({ orderId }) => orderId));
    const [push] = draining.texts;
    const [, { reconnectAfterMs }] = JSON.parse(push?.text.slice('42'.length) ?? '');
    expect(reconnectedAt - (push?.at ?? reconnectedAt)).toBeGreaterThanOrEqual(reconnectAfterMs);
    await proxy.close();
  });

  test('a frozen hub: the connection times out, and the command takes effect once after reconnecting', async () => {
    hub.freeze();
    const placing = at.client.place(one());
    await until('the connection times out', () => at.client.state === 'offline');
    hub.thaw();
    const { orderId } = await placing;
    await expectOnceEach([orderId]);
  });

  test('a listener that throws does not affect the others; after a crash in it the event is delivered again', async () => {
    const run = (survives: boolean) => {
      const { token } = buyer;
      const program = `
        import { connect } from './dist/client/connect.js';
        if (${survives}) process.on('uncaughtException', ({ message }) => console.log(message));
        const storage = { load: () => ({ buyer: 0 }), save: ({ buyer }) => console.log('saved', buyer) };
        const hub = connect({ url: '${hub.url}', token: '${token}', storage });
        hub.on('order', ({ seq }) => { if (seq === 2) throw new Error('fault'); });
        hub.on('order', ({ seq }) => console.log('received', seq));
        hub.on('ready', () => hub.close());
      `;
      const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
        encoding: 'utf8',
      });
      return { output: stdout.trim().split('\n'), status };
    };
    for (const _ of range(3)) await at.client.place(one());
    const survived = run(true);
    expect(survived.output.filter((line) => !line.startsWith('saved'))).toEqual(
      expect.arrayContaining(['received 1', 'received 2', 'received 3', 'fault']),
    );
    expect([survived.output.at(-1), survived.status]).toEqual(['saved 3', 0]);
    const crashed = run(false);
    expect(crashed.output).toContain('received 2');
    expect([crashed.output.findLast((line) => line.startsWith('saved')), crashed.status]).toEqual(['saved 1', 1]);
  });

  test('truncated acknowledgements: each command takes effect once, in order', async () => {
    const proxy = await TcpProxy.before(hub.url);
    let passed = 0;
    const cuts = proxy.cutAcks(0.1, () => (++passed % 10 === 0 ? 0 : 1));
    await proxy.open();
    at = page(buyer, proxy.url);
    await isLive(at);
    const placed = await Promise.all(range(40).map(() => at.client.place(one())));
    expect(cuts.cuts).toBeGreaterThan(0);
    await expectOnceEach(placed.map(({ orderId }) => orderId));
    await proxy.close();
  });
});
