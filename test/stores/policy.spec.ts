import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StoreView } from '../../src/contract/stores.js';
import { EventPublisher } from '../../src/rooms/event.publisher.js';
import { audit } from '../support/audit.js';
import { inShort, listen } from '../support/event.recorder.js';
import { follow, isLive } from '../support/follower.js';
import { holdNextHeads } from '../support/held.heads.js';
import { type TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths, stranger } from '../support/refused.js';
import { codeOf, device, overHttp, range, stopBoth, twoHubs } from '../support/ways.js';

const FAR = '2999-01-01T00:00:00.000Z';
/** Longer than any push takes to another hub. */
const QUIET_MS = 700;
const SHORT_MS = 400;

describe('what an owner says of a store', () => {
  let here: TestHub;
  /** Another hub on the same database, where the database has several. */
  let there: TestHub;
  let owner: Person;
  let buyer: Person;
  const say = (body: unknown, by = owner, storeId = owner.storeId) =>
    by.patch<StoreView & Failure>(`/stores/${storeId}`, body);
  const placing = () => ({ storeId: owner.storeId, items: [{ bookId: 'book-1', count: 1 }] });
  const read = async (at: TestHub) => (await stranger(at).get<StoreView>(`/stores/${owner.storeId}`)).body;
  const inMs = (ms: number) => new Date(here.now() + ms).toISOString();

  beforeAll(async () => {
    ({ here, there } = await twoHubs({ settleAt: 'received' }));
    [owner, buyer] = [await here.seller([{ stock: 1_000 }]), await here.buyer()];
    for (const person of [owner, buyer]) await person.connect();
  });
  afterAll(() => stopBoth(here, there));

  test('is nothing at first: it is open, not paused, and accepts orders by itself', async () => {
    expect(await read(here)).toMatchObject({ acceptWithinSeconds: 0, open: true, pausedUntil: null });
  });

  test('changes what is named, and is read on every hub', async () => {
    const { status, body } = await say({ name: '新名字', acceptWithinSeconds: 300 });
    expect(status).toBe(200);
    const { storeId, userId: ownerId } = owner;
    const createdAt = expect.any(String);
    const view = {
      storeId,
      name: '新名字',
      ownerId,
      createdAt,
      acceptWithinSeconds: 300,
      open: true,
      pausedUntil: null,
    };
    expect(body).toStrictEqual(view);
    expect(await read(there)).toStrictEqual(view);
    expect((await say({ acceptWithinSeconds: 0 }, device(owner, there))).body).toMatchObject({ name: '新名字' });
    expect((await say({})).body).toStrictEqual({ ...view, acceptWithinSeconds: 0 });
    const list = await stranger(there).get<{ items: StoreView[] }>(`/stores?owner=${ownerId}`);
    expect(list.body.items).toStrictEqual([{ ...view, acceptWithinSeconds: 0 }]);
  });

  test('is its owner’s, or of an API key with the right to stock', async () => {
    const other = await here.seller();
    expect(await say({ open: false }, other)).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
    const { status, body } = await say({}, owner, 'nowhere');
    expect([status, body.error.code]).toEqual([404, 'STORE_NOT_FOUND']);
    expect((await say({ open: false }, stranger(here))).status).toBe(401);
    const keyed = async (...rights: string[]) => {
      const key = await owner.post<{ secret: string }>('/auth/keys', { name: rights.join(), rights });
      const at = device(owner);
      at.token = key.body.secret;
      return at;
    };
    const seller = await say({ open: false }, await keyed('read', 'buy', 'sell', 'money', 'staff'));
    expect([seller.status, seller.body.error.details]).toEqual([403, { right: 'stock' }]);
    expect((await say({ open: true }, await keyed('stock'))).status).toBe(200);
  });

  test.each([
    [{ acceptWithinSeconds: 86_401 }, ['acceptWithinSeconds']],
    [{ acceptWithinSeconds: -1, open: 'no' }, ['acceptWithinSeconds', 'open']],
    [{ pausedUntil: 'tomorrow' }, ['pausedUntil']],
    [{ pausedUntil: '2999-01-01T00:00:00Z' }, ['pausedUntil']],
    [{ name: null }, ['name']],
    [{ open: null }, ['open']],
    [{ ownerId: 'me' }, ['ownerId']],
  ])('is refused as %j', async (body, paths) => {
    const before = await read(here);
    const answer = await say(body);
    expect([answer.status, answer.body.error.code, faultPaths(answer.body.error)]).toEqual([400, 'BAD_MESSAGE', paths]);
    expect(await read(here)).toStrictEqual(before);
  });

  test('closes it: nobody can place an order until it opens, and orders under way go on', async () => {
    const { orderId } = await buyer.place(owner);
    await say({ open: false });
    for (const hub of [here, there]) {
      const answers = [await device(buyer, hub).send('order:place', placing())];
      answers.push(await overHttp(device(buyer, hub), 'order:place', placing()));
      for (const answer of answers)
        expect(answer).toMatchObject({
          ok: false,
          error: { code: 'STORE_PAUSED', retryable: false, details: { until: null } },
        });
    }
    expect(await buyer.does('order:pay', { orderId })).toMatchObject({ status: 'paid' });
    expect(await owner.does('order:ship', { orderId })).toMatchObject({ status: 'shipped' });
    await say({ open: true });
    expect(await buyer.place(owner)).toMatchObject({ status: 'placed' });
  });

  test('pauses it until a time, after which it takes orders by itself', async () => {
    const pausedUntil = inMs(SHORT_MS);
    expect((await say({ pausedUntil })).body).toMatchObject({ open: true, pausedUntil });
    expect(await buyer.isRefused('order:place', placing())).toMatchObject({
      code: 'STORE_PAUSED',
      details: { until: pausedUntil },
    });
    await until('the pause is over', () => Math.min(here.now(), there.now()) >= Date.parse(pausedUntil));
    expect(await buyer.place(owner)).toMatchObject({ status: 'placed' });
    expect(await read(there)).toMatchObject({ open: true, pausedUntil: null });
  });

  test('lifts a pause with null, and never opens what is closed', async () => {
    await say({ pausedUntil: FAR });
    await say({ open: false });
    expect((await buyer.isRefused('order:place', placing())).details).toEqual({ until: null });
    expect((await say({ open: true })).body).toMatchObject({ open: true, pausedUntil: FAR });
    expect((await buyer.isRefused('order:place', placing())).details).toEqual({ until: FAR });
    expect((await say({ pausedUntil: null })).body).toMatchObject({ open: true, pausedUntil: null });
    expect(await buyer.place(owner)).toMatchObject({ status: 'placed' });
  });

  test('is kept as the first answer to a key, like any refusal of the rules', async () => {
    await say({ open: false });
    const message = { ...placing(), key: 'while-closed' };
    const first = await buyer.send('order:place', message);
    expect(codeOf(first)).toBe('STORE_PAUSED');
    await say({ open: true });
    expect(await buyer.send('order:place', message)).toStrictEqual({ ...first, replayed: true });
    expect(codeOf(await buyer.send('order:place', { ...placing(), key: 'once-open' }))).toBe('OK');
  });

  test('is one word after another, from both hubs at once', async () => {
    const devices = [owner, device(owner, there)];
    const answers = await Promise.all(range(30).map((n) => say({ name: `Name ${n}` }, devices[n % 2])));
    expect(answers.map(({ status }) => status)).toEqual(range(30).map(() => 200));
    const [row] = await here.rows<{ version: number }>('SELECT version FROM stores WHERE store_id = ?', [
      owner.storeId,
    ]);
    expect(Number(row?.version)).toBeGreaterThanOrEqual(30);
    expect((await read(there)).name).toMatch(/^Name \d+$/);
    await say({ name: 'Corner Books' });
  });

  test('never lets a half through: an order placed at the same moment is before or after', async () => {
    for (const round of range(20)) {
      const at = device(buyer, round % 2 ? here : there);
      const [answer] = await Promise.all([at.send('order:place', placing()), say({ open: false })]);
      expect(['OK', 'STORE_PAUSED']).toContain(codeOf(answer));
      expect(codeOf(await at.send('order:place', placing()))).toBe('STORE_PAUSED');
      await say({ open: true });
    }
  });

  test('can say how long it takes to accept only where the hub holds the money', async () => {
    const direct = await twoHubs();
    try {
      const seller = await direct.here.seller();
      const { status, body } = await say({ acceptWithinSeconds: 60, name: 'Never' }, seller, seller.storeId);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['acceptWithinSeconds']]);
      expect((await say({ acceptWithinSeconds: 0 }, seller, seller.storeId)).body).toMatchObject({ name: null });
    } finally {
      await stopBoth(direct.here, direct.there);
    }
  });

  describe('store:status', () => {
    const quiet = () => sleep(here === there ? 50 : QUIET_MS);

    test('tells the owner’s sockets on every hub, and nobody else', async () => {
      const [remote, customer, other] = [
        await device(owner, there).connect(),
        await listen(buyer),
        await listen(await here.seller()),
      ];
      const before = owner.stores.length;
      await say({ open: false });
      const pausedUntil = FAR;
      await say({ open: true, pausedUntil });
      await say({ pausedUntil: null });
      await say({ name: 'Silent' });
      await until('the other hub has told it', () => remote.stores.length >= 3);
      await quiet();
      const { storeId } = owner;
      const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(owner.stores.slice(before)).toStrictEqual([
        { storeId, open: false, pausedUntil: null, at },
        { storeId, open: true, pausedUntil, at },
        { storeId, open: true, pausedUntil: null, at },
      ]);
      expect(remote.stores).toStrictEqual(owner.stores.slice(before));
      expect(inShort(customer)).toEqual(['room:ready']);
      expect(inShort(other)).toEqual(['room:ready']);
      remote.disconnect();
    });

    test('has no number and moves no room', async () => {
      const { head } = await owner.does('room:read', { role: 'seller', after: 0, limit: 1 });
      await say({ open: true });
      expect((await owner.does('room:read', { role: 'seller', after: 0, limit: 1 })).head).toBe(head);
    });

    test('never tells an older state after a newer one', async () => {
      const person = await here.person();
      await person.connect();
      const at = new Date(here.now()).toISOString();
      const push = (version: number, storeId: string) =>
        here.hub.app
          .get(EventPublisher)
          .pushStoreStatuses([
            { ownerId: person.userId, version, push: { storeId, open: version % 2 === 0, pausedUntil: null, at } },
          ]);
      for (const version of [5, 4, 6, 6]) push(version, 'one');
      push(1, 'other');
      await until('the latest is told', () => person.stores.at(-1)?.storeId === 'other');
      expect(person.stores.map(({ storeId, open }) => [storeId, open])).toEqual([
        ['one', false],
        ['one', true],
        ['other', false],
      ]);
    });

    test('tells a socket that is not ready yet right after room:ready, and only the latest', async () => {
      const at = device(owner);
      const { reading, release } = holdNextHeads(here);
      const connecting = listen(at);
      await reading;
      await say({ open: false });
      await say({ open: true });
      release();
      const heard = await connecting;
      await until('the store is told', () => heard.heard.length > 1);
      expect(inShort(heard)).toEqual(['room:ready', 'store:status']);
    });

    test('is for API keys with the right to read', async () => {
      const keyed = async (rights: string[]) => {
        const { body } = await owner.post<{ secret: string }>('/auth/keys', { name: rights.join(' '), rights });
        return device(owner).connect({ token: body.secret });
      };
      const [reader, keeper] = [await keyed(['read']), await keyed(['stock', 'sell'])];
      await say({ open: true });
      await until('the reader is told', () => reader.stores.length === 1);
      await quiet();
      expect(keeper.stores).toEqual([]);
    });

    test('reaches listeners of the client library', async () => {
      const follower = follow(here.url, owner);
      await isLive(follower);
      await say({ open: true });
      await until('the client is told', () => follower.stores.length === 1);
      expect(follower.stores).toMatchObject([{ storeId: owner.storeId, open: true, pausedUntil: null }]);
      follower.client.close();
    });
  });

  test('passes the audit', async () => {
    expect(await audit(here)).toEqual([]);
  });
});
