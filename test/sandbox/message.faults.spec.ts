import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from '../../src/client/connect.js';
import type { FaultName, TranscriptEntry } from '../../src/contract/sandbox.js';
import { faults } from '../../src/contract/sandbox.js';
import { TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';

const faultNames = Object.keys(faults) as FaultName[];
const QUIET_MS = 300;

describe('the faults of a sandbox', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ sandbox: true });
    seller = await hub.seller([{ stock: 100_000 }]);
  });
  afterAll(() => hub.stop());
  beforeEach(async () => {
    buyer = await hub.buyer();
  });

  const spoil = async (message: string, what: FaultName, more: object = {}, userId = buyer.userId) => {
    const request = { userId, message, do: what, ...more };
    const { status, body } = await seller.post('/sandbox/faults', request);
    expect({ status, body }).toEqual({ status: 200, body: request });
  };
  const request = (key?: string) => ({
    storeId: seller.storeId,
    items: [{ bookId: 'book-1', count: 1 }],
    ...(key === undefined ? {} : { key }),
  });
  const orders = async () => (await buyer.get<{ items: unknown[] }>('/orders?role=buyer')).body.items.length;
  /** Whether an acknowledgement comes within a moment. */
  const isAnswered = (key?: string) =>
    buyer.socket
      ?.timeout(QUIET_MS)
      .emitWithAck('order:place', request(key))
      .then(
        () => true,
        () => false,
      );
  const transcript = async () =>
    (await seller.get<{ entries: TranscriptEntry[] }>(`/sandbox/transcript?userId=${buyer.userId}`)).body.entries;

  test.each(faultNames)(
    '%s: the client library has one order for one command, and its one event',
    async (what) => {
      const client = connect({ url: hub.url, token: buyer.token });
      const events: number[] = [];
      client.on('order', ({ role, seq }) => role === 'buyer' && events.push(seq));
      await new Promise((resolve) => client.on('ready', resolve));
      await spoil('order:place', what, { times: 2, ms: 50 });
      // It sends again what was not answered, whatever the fault was.
      const placed = await client.place(request());
      const second = await client.place(request());
      expect(second.orderId).not.toBe(placed.orderId);
      await until('both events came', () => events.length >= 2);
      expect(events).toEqual([1, 2]);
      expect(await orders()).toBe(2);
      client.close();
    },
    60_000,
  );

  test('drop-ack: it takes effect without an answer, and the key tells', async () => {
    await buyer.connect();
    await spoil('order:place', 'drop-ack');
    expect(await isAnswered('dropped')).toBe(false);
    expect(buyer.socket?.connected).toBe(true);
    expect(await orders()).toBe(1);
    expect(await buyer.send('order:place', request('dropped'))).toMatchObject({ ok: true, replayed: true });
    expect(await orders()).toBe(1);
    const said = (await transcript()).filter(({ name }) => name === 'order:place');
    expect(said).toMatchObject([{ fault: 'drop-ack' }, { answer: { ok: true, replayed: true } }]);
    expect(said[0]).not.toHaveProperty('answer');
  });

  test('cut-before: nothing was done', async () => {
    await buyer.connect();
    await spoil('order:place', 'cut-before');
    expect(await isAnswered()).toBe(false);
    expect(buyer.socket?.connected).toBe(false);
    expect(await orders()).toBe(0);
  });

  test('cut-after-commit: it was done', async () => {
    await buyer.connect();
    await spoil('order:place', 'cut-after-commit');
    expect(await isAnswered('cut')).toBe(false);
    expect(buyer.socket?.connected).toBe(false);
    expect(await orders()).toBe(1);
    await buyer.connect({ last: { buyer: 0 } });
    expect(await buyer.hears(1)).toHaveLength(1);
  });

  test('twice: with a key it happens once, without one twice, and one answer comes', async () => {
    await buyer.connect();
    await spoil('order:place', 'twice', { times: 2 });
    expect(await buyer.send('order:place', request('once'))).toMatchObject({ ok: true });
    expect(await orders()).toBe(1);
    let answers = 0;
    buyer.socket?.emit('order:place', request(), () => answers++);
    await until('both were placed', async () => (await orders()) === 3);
    expect(answers).toBe(1);
  });

  test('delay: it comes later, and what is sent after it comes after it', async () => {
    await buyer.connect();
    await spoil('order:place', 'delay', { ms: QUIET_MS });
    const answers: string[] = [];
    const from = performance.now();
    const placed = buyer.send('order:place', request()).then(() => answers.push('place'));
    const listed = buyer
      .does('order:list', { role: 'buyer' })
      .then(({ items }) => answers.push(`list ${items.length}`));
    await Promise.all([placed, listed]);
    expect(performance.now() - from).toBeGreaterThan(QUIET_MS - 10);
    expect(answers).toEqual(['place', 'list 1']);
  });

  test('delays follow each other', async () => {
    await buyer.connect();
    await spoil('order:place', 'delay', { ms: 100, times: 3 });
    const from = performance.now();
    await Promise.all([1, 2, 3].map(() => buyer.send('order:place', request())));
    expect(performance.now() - from).toBeGreaterThan(290);
    expect(buyer.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('follow each other, and end: for this user and this message only', async () => {
    await buyer.connect();
    const other = await hub.buyer();
    await other.connect();
    await spoil('order:place', 'drop-ack');
    await spoil('order:place', 'cut-before');
    expect(await other.send('order:place', request())).toMatchObject({ ok: true });
    expect(await buyer.send('order:list', { role: 'buyer' })).toMatchObject({ ok: true });
    expect(await isAnswered()).toBe(false);
    expect(buyer.socket?.connected).toBe(true);
    expect(await isAnswered()).toBe(false);
    expect(buyer.socket?.connected).toBe(false);
    await buyer.connect();
    expect(await isAnswered()).toBe(true);
    other.disconnect();
  });

  test('meet messages without an acknowledgement too', async () => {
    await buyer.connect();
    await spoil('order:place', 'twice');
    buyer.socket?.emit('order:place', request());
    await until('both were placed', async () => (await orders()) === 2);
    await spoil('order:place', 'cut-after-commit');
    buyer.socket?.emit('order:place', request());
    await until('it was cut', () => buyer.socket?.connected === false);
    expect(await orders()).toBe(3);
  });

  describe('over HTTP', () => {
    const place = (key: string) =>
      buyer.post('/orders', request(key)).then(
        ({ status }) => status,
        () => 'cut',
      );

    test.each<[FaultName, ordersAfter: number]>([
      ['drop-ack', 1],
      ['cut-before', 0],
      ['cut-after-commit', 1],
    ])('%s cuts the connection, and the key tells what was done', async (what, after) => {
      await spoil('order:place', what);
      expect(await place('one')).toBe('cut');
      expect(await orders()).toBe(after);
      expect(await place('one')).toBe(201);
      expect(await orders()).toBe(1);
      const [said] = await transcript();
      expect(said).toMatchObject({ way: 'http', direction: 'said' });
      const spoilt = (await transcript()).filter(({ fault }) => fault === what);
      expect(spoilt).toHaveLength(1);
      expect(spoilt[0]).not.toHaveProperty('answer');
    });

    test('twice and delay change no answer', async () => {
      await spoil('order:place', 'twice');
      expect(await place('twice')).toBe(201);
      expect(await orders()).toBe(1);
      await spoil('order:place', 'delay', { ms: QUIET_MS });
      const from = performance.now();
      expect(await place('late')).toBe(201);
      expect(performance.now() - from).toBeGreaterThan(QUIET_MS - 10);
    });

    test.each([
      ['order:pay', 'POST', '/pay'],
      ['order:get', 'GET', ''],
      ['order:cancel', 'POST', '/cancel'],
    ])('%s is also its route', async (message, method, path) => {
      const { orderId } = (await buyer.post<{ orderId: string }>('/orders', request())).body;
      await spoil(message, 'cut-before');
      const send = () => buyer.request(method, `/orders/${orderId}${path}`, method === 'POST' ? {} : undefined, {});
      await expect(send()).rejects.toThrow();
      expect((await send()).status).toBe(200);
    });
  });

  test.each<[string, object]>([
    ['an unknown message', { message: 'order:steal' }],
    ['an unknown fault', { do: 'burn' }],
    ['no fault', { do: undefined }],
    ['no time', { times: 0 }],
    ['too many times', { times: 1_001 }],
    ['half a time', { times: 1.5 }],
    ['less than no delay', { ms: -1 }],
    ['too long a delay', { ms: 60_001 }],
    ['no user', { userId: '' }],
    ['a field too many', { why: 'for fun' }],
  ])('%s is BAD_MESSAGE', async (_, wrong) => {
    const request = { userId: buyer.userId, message: 'order:pay', do: 'drop-ack', ...wrong };
    const { status, body } = await seller.post('/sandbox/faults', request);
    expect({ status, body }).toMatchObject({ status: 400, body: { error: { code: 'BAD_MESSAGE' } } });
  });
});
