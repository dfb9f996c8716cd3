import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, createApi, HubError } from '../../src/client/connect.js';
import { type Follower, follow, isLive } from '../support/follower.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

/** Longer than the client's first reconnection delay. */
const RECONNECT_MS = 600;

describe('a client’s session', () => {
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
  const rejectionOf = (call: Promise<unknown>): Promise<HubError> =>
    call.then(
      () => Promise.reject(new Error('The call was not rejected')),
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
  ])('that ends by %s emits ended, and the client does not reconnect', async (reason, end) => {
    const person = await hub.register();
    const at = page(person);
    await isLive(at);
    await end(person);
    await until('ended is emitted', () => at.ended.length > 0);
    await sleep(RECONNECT_MS);
    expect(at.ended).toEqual([reason]);
    expect(at.states).toEqual(['catching up', 'live', 'offline']);
    expect(await rejectionOf(at.client.place(one()))).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  });

  test('with an invalid token emits ended and rejects pending calls', async () => {
    const at = page({ token: 'unknown-token' });
    const pending = rejectionOf(at.client.list({ role: 'buyer' }));
    expect(await pending).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect([at.ended, at.states]).toEqual([['UNAUTHENTICATED'], []]);
  });

  test('that cannot be verified for the moment is retried', async () => {
    const buyer = await hub.buyer();
    // The hub cannot authenticate anyone.
    await write('ALTER TABLE sessions RENAME TO renamed_sessions');
    const at = page(buyer);
    const placing = at.client.place(one());
    await expect(buyer.connect()).rejects.toBeInstanceOf(Error);
    expect(at.ended).toEqual([]);
    await write('ALTER TABLE renamed_sessions RENAME TO sessions');
    expect((await placing).status).toBe('placed');
    expect(at.ended).toEqual([]);
  });

  test('retries a command after INTERNAL without delaying other calls', async () => {
    const buyer = await hub.buyer();
    const at = page(buyer);
    await isLive(at);
    await write('ALTER TABLE book_stock RENAME TO renamed_stock');
    const placing = at.client.place(one());
    expect((await at.client.list({ role: 'buyer' })).items).toEqual([]);
    expect(at.pending).toEqual([1]);
    await write('ALTER TABLE renamed_stock RENAME TO book_stock');
    expect((await placing).status).toBe('placed');
    expect(at.pending).toEqual([1, 0]);
  });

  test('executes the calls on one order in sequence, even when the first is retried', async () => {
    const buyer = await hub.buyer();
    const at = page(buyer);
    const orders = await Promise.all(range(5).map(() => at.client.place(one())));
    await write('ALTER TABLE wallets RENAME TO renamed_wallets');
    const calls = orders.map(({ orderId }) => [at.client.pay({ orderId }), at.client.cancel({ orderId })]);
    await sleep(100);
    await write('ALTER TABLE renamed_wallets RENAME TO wallets');
    for (const [paid, cancelled] of calls) {
      expect((await paid)?.status).toBe('paid');
      expect((await cancelled)?.status).toBe('cancelled');
    }
    expect(await buyer.balance()).toBe(1_000_000);
  });

  test('needs a url and a token only, and a path behind a prefix', async () => {
    const buyer = await hub.buyer();
    const client = connect({ url: `${hub.url}/shop/`, token: buyer.token, path: '/socket.io' });
    expect((await client.place(one())).status).toBe('placed');
    client.close();
  });
});
