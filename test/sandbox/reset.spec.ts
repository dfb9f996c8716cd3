import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KnownAddress } from '../../src/auth/known.address.entity.js';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { Order } from '../../src/contract/orders.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';

const DAY = 86_400_000;
const KEPT = ['migrations', 'database_info', 'sandbox'];

describe('the reset of a sandbox', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await TestHub.start({ sandbox: true, rateLimits: true });
  });
  afterAll(() => hub.stop());

  const anonymous = () => new Person(hub, '', '');
  const reset = async () => expect((await anonymous().post('/sandbox/reset')).status).toBe(204);
  const rowsLeft = async () => {
    const columns = await hub.rows<{ tableName: string }>(hub.database.dialect.columnsSql);
    const left: Record<string, number> = {};
    for (const table of new Set(columns.map(({ tableName }) => tableName))) {
      const [row] = await hub.rows<{ count: number }>(`SELECT COUNT(*) AS count FROM ${table}`);
      if (Number(row?.count) > 0) left[table] = Number(row?.count);
    }
    return left;
  };

  /** A day of a shop, with fixed names and keys; what a client can tell apart of it. */
  const live = async () => {
    const seller = await hub.register('mei');
    const buyer = await hub.register('lin');
    await buyer.post('/wallet/deposits', { amount: 100_000, key: 'deposit' });
    await seller.post('/stores', { storeId: 'corner-books', name: 'Corner Books' });
    const book = { bookId: 'three-body', title: '三体', price: 4_600, stock: 9, tags: ['科幻'] };
    const added = await seller.post('/stores/corner-books/books', book);
    await Promise.all([seller.connect(), buyer.connect()]);
    const items = [{ bookId: 'three-body', count: 2 }];
    const placed = await buyer.send('order:place', { storeId: 'corner-books', items, key: 'place' });
    if (!placed.ok) throw new Error(`It was refused: ${JSON.stringify(placed)}`);
    const { orderId } = placed.data;
    await buyer.send('order:pay', { orderId, key: 'pay' });
    await seller.send('order:ship', { orderId });
    const found = await anonymous().get<{ items: { bookId: string }[] }>(`/books?q=${encodeURIComponent('三体')}`);
    const { status, version, number, total } = (await buyer.get<Order>(`/orders/${orderId}`)).body;
    await Promise.all([seller.hears(3), buyer.hears(3)]);
    return {
      added: added.status,
      placed: [placed.seq, placed.replayed, placed.data.status, placed.data.number],
      order: { status, version, number, total },
      found: found.body.items.map(({ bookId }) => bookId),
      ready: [seller.ready[0]?.rooms, buyer.ready[0]?.rooms],
      events: [...seller.events, ...buyer.events].map(({ role, seq, version, status }) => [role, seq, version, status]),
      wallet: await buyer.wallet(),
      counts: (await seller.get('/orders/counts?role=seller')).body,
      stock: (await anonymous().get<{ stock: number }>('/stores/corner-books/books/three-body')).body.stock,
      people: [seller, buyer] as const,
    };
  };

  test('makes it a fresh hub: the same names, ids and keys get the same answers', async () => {
    const { people, ...first } = await live();
    expect(Object.keys(await rowsLeft()).length).toBeGreaterThan(10);
    await reset();
    await until('both sockets are cut', () => people.every(({ socket }) => socket?.connected === false));
    expect(people.map(({ endings }) => endings)).toEqual([['revoked'], ['revoked']]);
    for (const person of people) expect((await person.get('/wallet')).status).toBe(401);
    await expect(people[0].connect()).rejects.toThrow('UNAUTHENTICATED');
    const { people: again, ...second } = await live();
    expect(second).toEqual(first);
    for (const person of again) person.disconnect();
  });

  test('leaves no row but those that say which schema it is', async () => {
    await reset();
    expect(Object.keys(await rowsLeft()).filter((table) => !KEPT.includes(table) && table !== 'hub_batches')).toEqual(
      [],
    );
    expect(await hub.rows('SELECT room_floor AS floor FROM database_info')).toEqual([{ floor: 0 }]);
  });

  test('makes everything in memory anew', async () => {
    const { app } = hub.hub;
    const before = app.get(CommandQueue);
    await reset();
    expect(hub.hub.app).not.toBe(app);
    expect(hub.hub.app.get(CommandQueue)).not.toBe(before);
  });

  test('forgets what was counted against a user or an address', async () => {
    const guess = (password: string) => anonymous().post('/auth/login', { userId: 'lin', password });
    await hub.register('lin');
    let last = await guess('a wrong one');
    for (let guesses = 0; guesses < 30 && last.status === 401; guesses++) last = await guess('a wrong one');
    expect(last.status).toBe(429);
    expect((await guess(PASSWORD)).status).toBe(429);
    await reset();
    const person = await hub.register('lin');
    expect(person.token).not.toBe('');
    expect((await guess('a wrong one')).status).toBe(401);
  }, 60_000);

  test('sets back the time, and forgets faults and transcripts', async () => {
    const person = await hub.register('lin');
    await person.post('/sandbox/clock', { advanceMs: 100 * DAY });
    await person.post('/sandbox/faults', { userId: 'lin', message: 'order:list', do: 'cut-before', times: 9 });
    await reset();
    expect(Math.abs(hub.now() - Date.now())).toBeLessThan(DAY);
    const { body } = await anonymous().get<{ entries: unknown[] }>('/sandbox/transcript?userId=lin');
    expect(body.entries).toEqual([]);
    const back = await hub.register('lin');
    await back.connect();
    expect(await back.send('order:list', { role: 'buyer' })).toMatchObject({ ok: true });
    back.disconnect();
  });

  test('lets what comes meanwhile wait', async () => {
    const resetting = reset();
    const requests = Array.from({ length: 20 }, () => anonymous().get('/health/ready'));
    const [, ...answers] = await Promise.all([resetting, ...requests]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test('several at once and an advance among them are done one after another', async () => {
    const advance = anonymous().post('/sandbox/clock', { advanceMs: DAY });
    await Promise.all([reset(), advance, reset()]);
    expect((await advance).status).toBe(200);
    expect(hub.database.reader.hasMetadata(KnownAddress)).toBe(true);
  });
});
