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

/** Hubs that are killed, that leave and come back on the same port, and lines that are cut: the library must not mind. */
describe('the client library, when its hub is away', () => {
  let database: TestDatabase;
  let hub: HubProcess;
  let seller: Person;
  let buyer: Person;
  let at: Follower;
  let shop: Follower;
  let bookId: string;
  let turns = 0;
  const open: Follower[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database, {}, { crash: true });
    seller = await hub.register('seller');
    seller.storeId = 'store';
    await seller.post('/stores', { storeId: 'store' });
  }, 120_000);
  beforeEach(async () => {
    bookId = `book-${++turns}`;
    await seller.post('/stores/store/books', { bookId, title: 'Book', price: 10, stock: STOCK });
    buyer = await hub.register(`buyer-${turns}`);
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
  const startAgain = async () => {
    hub = await HubProcess.start(database, {}, { crash: true, port: Number(new URL(hub.url).port) });
  };
  const one = () => ({ storeId: 'store', items: [{ bookId, count: 1 }], expectedTotal: 10 });
  const stock = async () => (await createApi({ url: hub.url }).call('book', { storeId: 'store', bookId })).stock;

  /** Each of these orders is there once, and was heard of once by both. */
  const onceEach = async (orderIds: string[]) => {
    expect(new Set(orderIds).size).toBe(orderIds.length);
    expect(STOCK - (await stock())).toBe(orderIds.length);
    expect(await hearsUpTo(at, 'buyer', orderIds.length)).toEqual(range(orderIds.length).map((index) => index + 1));
    expect(at.events.map(({ orderId }) => orderId)).toEqual(orderIds);
    const ofShop = () => shop.events.filter(({ buyerId }) => buyerId === buyer.userId).map(({ orderId }) => orderId);
    await until('the seller has heard of all', () => ofShop().length >= orderIds.length);
    expect(ofShop()).toEqual(orderIds);
  };

  test.each(['after-commit', 'after-first-ack'])(
    'a hub that is killed at `%s` and started again: each command takes effect once, in order, each call is answered',
    async (point) => {
      await hub.crashAt(point, point === 'after-first-ack' ? 1 : 2);
      const placing = range(40).map(() => at.client.place(one()));
      await hub.ended;
      await until('both pages know', () => at.client.state === 'offline' && shop.client.state === 'offline');
      const late = at.client.place(one());
      const leaving = new AbortController();
      const given = at.client.place(one(), { signal: leaving.signal });
      leaving.abort(new Error('never mind'));
      await expect(given).rejects.toThrow('never mind');
      await startAgain();
      const placed = await Promise.all([...placing, late]);
      await onceEach(placed.map(({ orderId }) => orderId));
      await Promise.all([isLive(at), isLive(shop)]);
      expect([at.resets, shop.resets, at.pending.at(-1)]).toEqual([[], [], 0]);
    },
  );

  test('a page that was loaded anew asks with the key that it has kept, and is told what became of the command', async () => {
    await hub.crashAt('after-commit');
    const first = at.client.place(one(), { key: 'kept' });
    await hub.ended;
    at.client.close();
    await expect(first).rejects.toMatchObject({ code: 'CLOSED' });
    await startAgain();
    at = page(buyer);
    const { orderId } = await at.client.place(one(), { key: 'kept' });
    expect((await at.client.list({ role: 'buyer' })).items.map((order) => order.orderId)).toEqual([orderId]);
    expect(STOCK - (await stock())).toBe(1);
  });

  test('a hub that is told to end and started again: the page comes back when it was told to, with all that was not taken', async () => {
    const proxy = await TcpProxy.before(hub.url);
    const farewells = proxy.overhear(/^42\["hub:draining",/);
    await proxy.open();
    at = page(buyer, proxy.url);
    await isLive(at);
    let backAt = 0;
    at.client.on('ready', () => {
      backAt = Date.now();
    });
    const ending = hub.terminate();
    const placed: Promise<{ orderId: string }>[] = [];
    while (!hub.hasEnded) {
      placed.push(at.client.place(one()));
      await sleep(5);
    }
    expect(await ending).toBe(0);
    await startAgain();
    await onceEach((await Promise.all(placed)).map(({ orderId }) => orderId));
    const [farewell] = farewells.texts;
    const [, { reconnectAfterMs }] = JSON.parse(farewell?.text.slice('42'.length) ?? '');
    expect(backAt - (farewell?.at ?? backAt)).toBeGreaterThanOrEqual(reconnectAfterMs);
    await proxy.close();
  });

  test('a hub that stops in the middle of a breath: the line is given up and made anew, and the command takes effect once', async () => {
    hub.freeze();
    const placing = at.client.place(one());
    await until('the page takes the line for dead', () => at.client.state === 'offline');
    hub.thaw();
    const { orderId } = await placing;
    await onceEach([orderId]);
  });

  test('a listener that throws keeps nothing from the others, and a program that dies of it hears the event again', async () => {
    const run = (survives: boolean) => {
      const { token } = buyer;
      const program = `
        import { connect } from './dist/client/connect.js';
        if (${survives}) process.on('uncaughtException', ({ message }) => console.log(message));
        const storage = { load: () => ({ buyer: 0 }), save: ({ buyer }) => console.log('saved', buyer) };
        const hub = connect({ url: '${hub.url}', token: '${token}', storage });
        hub.on('order', ({ seq }) => { if (seq === 2) throw new Error('fault'); });
        hub.on('order', ({ seq }) => console.log('heard', seq));
        hub.on('ready', () => hub.close());
      `;
      const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
        encoding: 'utf8',
      });
      return { said: stdout.trim().split('\n'), status };
    };
    for (const _ of range(3)) await at.client.place(one());
    const all = run(true);
    expect(all.said.filter((line) => !line.startsWith('saved'))).toEqual(
      expect.arrayContaining(['heard 1', 'heard 2', 'heard 3', 'fault']),
    );
    expect([all.said.at(-1), all.status]).toEqual(['saved 3', 0]);
    const died = run(false);
    expect(died.said).toContain('heard 2');
    expect([died.said.findLast((line) => line.startsWith('saved')), died.status]).toEqual(['saved 1', 1]);
  });

  test('acknowledgements that are cut off half-way: each command takes effect once, in order', async () => {
    const proxy = await TcpProxy.before(hub.url);
    let passed = 0;
    const cuts = proxy.cutAcks(0.1, () => (++passed % 10 === 0 ? 0 : 1));
    await proxy.open();
    at = page(buyer, proxy.url);
    await isLive(at);
    const placed = await Promise.all(range(40).map(() => at.client.place(one())));
    expect(cuts.cuts).toBeGreaterThan(0);
    await onceEach(placed.map(({ orderId }) => orderId));
    await proxy.close();
  });
});
