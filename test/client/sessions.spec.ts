import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, createApi, HubError } from '../../src/client/connect.js';
import { type Follower, follow, isLive } from '../support/follower.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

describe('a client of the library and its session', () => {
  let hub: TestHub;
  let seller: Person;
  const open: Follower[] = [];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 1_000 }]);
  });
  afterEach(() => {
    for (const { client } of open.splice(0)) client.close();
  });
  afterAll(() => hub.stop());

  const page = (person: { token: string }) => {
    const follower = follow(hub.url, person);
    open.push(follower);
    return follower;
  };
  const refusalOf = (call: Promise<unknown>): Promise<HubError> =>
    call.then(
      () => Promise.reject(new Error('It was not refused')),
      (error: unknown) => (error instanceof HubError ? error : Promise.reject(error)),
    );
  const one = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
  const write = (sql: string) => hub.database.transaction((tx) => tx.query(sql));

  test.each<[string, (person: Person) => Promise<unknown>]>([
    ['logout', ({ token }) => createApi({ url: hub.url, token }).call('logout')],
    ['unregistered', ({ token }) => createApi({ url: hub.url, token }).call('unregister', { password: PASSWORD })],
    [
      'password',
      async ({ userId }) => {
        const { token } = await createApi({ url: hub.url }).call('login', { userId, password: PASSWORD });
        const passwords = { oldPassword: PASSWORD, newPassword: `${PASSWORD}!` };
        await createApi({ url: hub.url, token }).call('password', passwords);
      },
    ],
  ])('is told when the session ends by %s, and stays away', async (reason, end) => {
    const person = await hub.register();
    const at = page(person);
    await isLive(at);
    await end(person);
    await until('it is told', () => at.ended.length > 0);
    // Longer than it would take to try again.
    await sleep(600);
    expect(at.ended).toEqual([reason]);
    expect(at.states).toEqual(['catching up', 'live', 'offline']);
    expect(await refusalOf(at.client.place(one()))).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  });

  test('is told when the token is not good, and so are those who wait', async () => {
    const at = page({ token: 'nothing that the hub has given' });
    const waiting = refusalOf(at.client.list({ role: 'buyer' }));
    expect(await waiting).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect([at.ended, at.states]).toEqual([['UNAUTHENTICATED'], []]);
  });

  test('that is refused for the moment only comes back by itself', async () => {
    const buyer = await hub.buyer();
    // The hub cannot find out who this is.
    await write('ALTER TABLE sessions RENAME TO lost_sessions');
    const at = page(buyer);
    const placing = at.client.place(one());
    const refused = new Promise<void>((resolve) => {
      const other = buyer.connect().catch(() => resolve());
      return other;
    });
    await refused;
    expect(at.ended).toEqual([]);
    await write('ALTER TABLE lost_sessions RENAME TO sessions');
    expect((await placing).status).toBe('placed');
    expect(at.ended).toEqual([]);
  });

  test('sends a command that meets a fault of the hub again, and holds nothing else up meanwhile', async () => {
    const buyer = await hub.buyer();
    const at = page(buyer);
    await isLive(at);
    await write('ALTER TABLE book_stock RENAME TO lost_stock');
    const placing = at.client.place(one());
    expect((await at.client.list({ role: 'buyer' })).items).toEqual([]);
    expect(at.pending).toEqual([1]);
    await write('ALTER TABLE lost_stock RENAME TO book_stock');
    expect((await placing).status).toBe('placed');
    expect(at.pending).toEqual([1, 0]);
  });

  test('does what is to be done with one order in the order of the calls, also when the first of them has to be sent again', async () => {
    const buyer = await hub.buyer();
    const at = page(buyer);
    const orders = await Promise.all(range(5).map(() => at.client.place(one())));
    await write('ALTER TABLE wallets RENAME TO lost_wallets');
    const calls = orders.map(({ orderId }) => [at.client.pay({ orderId }), at.client.cancel({ orderId })]);
    await sleep(100);
    await write('ALTER TABLE lost_wallets RENAME TO wallets');
    for (const [paid, cancelled] of calls) {
      expect((await paid)?.status).toBe('paid');
      expect((await cancelled)?.status).toBe('cancelled');
    }
    expect(await buyer.balance()).toBe(1_000_000);
  });

  test('needs nothing but a url and a token, also behind a prefix of which it is told by a path', async () => {
    const buyer = await hub.buyer();
    const client = connect({ url: `${hub.url}/shop/`, token: buyer.token, path: '/socket.io' });
    expect((await client.place(one())).status).toBe('placed');
    client.close();
  });
});
