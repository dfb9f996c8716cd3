import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, createApi, HubError } from '../../src/client/connect.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';

describe('the client library over HTTP', () => {
  let hub: TestHub;
  let seller: Person;
  let open: Api;
  let api: Api;

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ title: '三体 & 黑暗森林', price: 2_300 }]);
    open = createApi({ url: hub.url });
    const userId = 'li na/1';
    await open.call('register', { userId, password: PASSWORD });
    const { token } = await open.call('login', { userId, password: PASSWORD, terminal: 'test' });
    api = createApi({ url: `${hub.url}/`, token });
  });
  afterAll(() => hub.stop());

  const refusalOf = (call: Promise<unknown>): Promise<HubError> =>
    call.then(
      () => Promise.reject(new Error('It was not refused')),
      (error: unknown) => (error instanceof HubError ? error : Promise.reject(error)),
    );

  test('asks by the name of the route: open or with a token, with a path, a query or a body', async () => {
    expect(await api.call('session')).toMatchObject({ userId: 'li na/1', terminal: 'test' });
    const { items, next } = await open.call('storeBooks', { storeId: seller.storeId, q: '三体 &', limit: 1 });
    expect([items.map(({ bookId }) => bookId), next]).toEqual([['book-1'], null]);
    const storeId = 'a store/with ? in its name';
    await api.call('openStore', { storeId, name: '书店' });
    expect((await open.call('stores', { owner: 'li na/1' })).items).toEqual([await open.call('store', { storeId })]);
    await api.call('addBook', { storeId, bookId: '#1', title: 'One', price: 100, stock: 1 });
    const changed = await api.call('changeBook', { storeId, bookId: '#1', price: 200, tags: ['a', 'b'] });
    expect(await open.call('book', { storeId, bookId: '#1' })).toEqual(changed);
    expect(changed).toMatchObject({ price: 200, tags: ['a', 'b'] });
    expect((await api.call('entries')).items).toEqual([]);
    expect((await api.call('roomEvents', { role: 'buyer', after: 0 })).head).toBe(0);
    expect(await open.call('live')).toEqual({ status: 'live' });
    expect(await open.call('metrics')).toContain('# HELP');
  });

  test('a command has a key of its own, or the one that it is given', async () => {
    await api.call('deposit', { amount: 100 });
    await api.call('deposit', { amount: 100 });
    await api.call('deposit', { amount: 100, key: 'once' });
    expect(await api.call('deposit', { amount: 100, key: 'once' })).toEqual({ balance: 300 });
    expect(await api.call('wallet')).toEqual({ balance: 300 });
    expect(await refusalOf(api.call('withdraw', { amount: 100, key: 'once' }))).toMatchObject({ code: 'KEY_REUSED' });
  });

  test('an order can be given from beginning to end without a socket', async () => {
    const items = [{ bookId: 'book-1', count: 1 }];
    const { orderId } = await api.call('place', { storeId: seller.storeId, items });
    const { retryable, code, details } = await refusalOf(api.call('pay', { orderId }));
    expect({ retryable, code, details }).toEqual({
      retryable: false,
      code: 'INSUFFICIENT_FUNDS',
      details: { needed: 2_300, balance: 300 },
    });
    await api.call('deposit', { amount: 2_000 });
    expect((await api.call('pay', { orderId })).status).toBe('paid');
    const shop = createApi({ url: hub.url, token: seller.token });
    expect((await shop.call('ship', { orderId, trackingNo: 'SF1' })).status).toBe('shipped');
    expect((await api.call('receive', { orderId })).status).toBe('received');
    expect((await api.call('order', { orderId })).timeline).toHaveLength(4);
  });

  test('what the hub refuses is refused in its words, and what it could only refuse is not sent', async () => {
    expect(await refusalOf(open.call('wallet'))).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    expect(await refusalOf(open.call('store', { storeId: 'none' }))).toMatchObject({ code: 'STORE_NOT_FOUND' });
    const nowhere = createApi({ url: 'http://127.0.0.1:1' });
    const bad = await refusalOf(nowhere.call('deposit', { amount: 0 }));
    expect(bad).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'amount' }] });
  });

  test('a command is sent again with its key until it is answered, and takes effect once', async () => {
    const proxy = await TcpProxy.before(hub.url);
    const behind = createApi({ url: proxy.url, token: seller.token });
    const before = (await createApi({ url: hub.url, token: seller.token }).call('wallet')).balance;
    const deposited = behind.call('deposit', { amount: 7 });
    const read = behind.call('wallet');
    await sleep(100);
    await proxy.open();
    expect(await deposited).toEqual({ balance: before + 7 });
    expect([before, before + 7]).toContain((await read).balance);
    await proxy.close();
  });

  test('what takes no key is not sent again blindly, and any call can be given up', async () => {
    const nowhere = createApi({ url: 'http://127.0.0.1:1' });
    const lost = await refusalOf(nowhere.call('login', { userId: 'li na', password: PASSWORD }));
    expect(lost).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    const signal = AbortSignal.timeout(200);
    await expect(nowhere.call('books', { q: '三' }, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(nowhere.call('books', {}, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('logging out ends the token', async () => {
    const other = await open.call('login', { userId: 'li na/1', password: PASSWORD });
    const leaving = createApi({ url: hub.url, token: other.token });
    expect(await leaving.call('logout')).toBeUndefined();
    expect(await refusalOf(leaving.call('wallet'))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('what is not a hub is told from a hub', async () => {
    const elsewhere = createApi({ url: `${hub.url}/nowhere` });
    expect(await refusalOf(elsewhere.call('books'))).toMatchObject({ code: 'UNKNOWN_MESSAGE', retryable: false });
  });
});
