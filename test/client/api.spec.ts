import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, createApi, HubError } from '../../src/client/connect.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';

describe('the client library over HTTP', () => {
  let hub: TestHub;
  let seller: Person;
  let anonymous: Api;
  let api: Api;

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ title: '三体 & 黑暗森林', price: 2_300 }]);
    anonymous = createApi({ url: hub.url });
    const userId = 'li na/1';
    await anonymous.call('register', { userId, password: PASSWORD });
    const { token } = await anonymous.call('login', { userId, password: PASSWORD, terminal: 'test' });
    api = createApi({ url: `${hub.url}/`, token });
  });
  afterAll(() => hub.stop());

  const rejectionOf = (call: Promise<unknown>): Promise<HubError> =>
    call.then(
      () => Promise.reject(new Error('The call was not rejected')),
      (error: unknown) => (error instanceof HubError ? error : Promise.reject(error)),
    );

  test('calls routes by name, public or with a token, with path, query or body', async () => {
    expect(await api.call('session')).toMatchObject({ userId: 'li na/1', terminal: 'test' });
    const { items, next } = await anonymous.call('storeBooks', { storeId: seller.storeId, q: '三体 &', limit: 1 });
    expect([items.map(({ bookId }) => bookId), next]).toEqual([['book-1'], null]);
    const storeId = 'a store/with ? in its name';
    await api.call('openStore', { storeId, name: '书店' });
    expect((await anonymous.call('stores', { owner: 'li na/1' })).items).toEqual([
      await anonymous.call('store', { storeId }),
    ]);
    await api.call('addBook', { storeId, bookId: '#1', title: 'One', price: 100, stock: 1 });
    const changed = await api.call('changeBook', { storeId, bookId: '#1', price: 200, tags: ['a', 'b'] });
    expect(await anonymous.call('book', { storeId, bookId: '#1' })).toEqual(changed);
    expect(changed).toMatchObject({ price: 200, tags: ['a', 'b'] });
    expect((await api.call('entries')).items).toEqual([]);
    expect((await api.call('roomEvents', { role: 'buyer', after: 0 })).head).toBe(0);
    expect(await anonymous.call('live')).toEqual({ status: 'live' });
    expect(await anonymous.call('metrics')).toContain('# HELP');
  });

  test('sends each command with a new key, or with the one passed', async () => {
    await api.call('deposit', { amount: 100 });
    await api.call('deposit', { amount: 100 });
    await api.call('deposit', { amount: 100, key: 'once' });
    expect(await api.call('deposit', { amount: 100, key: 'once' })).toEqual({ balance: 300 });
    expect(await api.call('wallet')).toEqual({ balance: 300, held: 0 });
    expect(await rejectionOf(api.call('withdraw', { amount: 100, key: 'once' }))).toMatchObject({ code: 'KEY_REUSED' });
  });

  test('leads an order through its whole lifecycle', async () => {
    const items = [{ bookId: 'book-1', count: 1 }];
    const { orderId } = await api.call('place', { storeId: seller.storeId, items });
    const { retryable, code, details } = await rejectionOf(api.call('pay', { orderId }));
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

  test('rejects with the hub’s error, and does not send an invalid message', async () => {
    expect(await rejectionOf(anonymous.call('wallet'))).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    expect(await rejectionOf(anonymous.call('store', { storeId: 'none' }))).toMatchObject({ code: 'STORE_NOT_FOUND' });
    const unreachable = createApi({ url: 'http://127.0.0.1:1' });
    const bad = await rejectionOf(unreachable.call('deposit', { amount: 0 }));
    expect(bad).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'amount' }] });
  });

  test('retries a command with its key until it is answered, once in effect', async () => {
    const proxy = await TcpProxy.before(hub.url);
    const proxied = createApi({ url: proxy.url, token: seller.token });
    const before = (await createApi({ url: hub.url, token: seller.token }).call('wallet')).balance;
    const deposited = proxied.call('deposit', { amount: 7 });
    const read = proxied.call('wallet');
    await sleep(100);
    await proxy.open();
    expect(await deposited).toEqual({ balance: before + 7 });
    expect([before, before + 7]).toContain((await read).balance);
    await proxy.close();
  });

  test('does not retry a call without a key, and aborts any call by its signal', async () => {
    const unreachable = createApi({ url: 'http://127.0.0.1:1' });
    const lost = await rejectionOf(unreachable.call('login', { userId: 'li na', password: PASSWORD }));
    expect(lost).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    const signal = AbortSignal.timeout(200);
    await expect(unreachable.call('books', { q: '三' }, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(unreachable.call('books', {}, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('revokes the token by logging out', async () => {
    const other = await anonymous.call('login', { userId: 'li na/1', password: PASSWORD });
    const leaving = createApi({ url: hub.url, token: other.token });
    expect(await leaving.call('logout')).toBeUndefined();
    expect(await rejectionOf(leaving.call('wallet'))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('rejects with UNKNOWN_MESSAGE where no hub answers', async () => {
    const elsewhere = createApi({ url: `${hub.url}/unreachable` });
    expect(await rejectionOf(elsewhere.call('books'))).toMatchObject({ code: 'UNKNOWN_MESSAGE', retryable: false });
  });
});
