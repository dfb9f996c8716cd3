import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { inShort, listen } from '../support/event.recorder.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { device, range, stopBoth, twoHubs } from '../support/ways.js';

/** The contract's limit. */
const DISCONNECT_WITHIN_MS = 5_000;

/** Two hubs on one server database; on the embedded database, a single hub must pass the same tests. */
describe('several hubs', () => {
  let here: TestHub;
  let there: TestHub;

  beforeAll(async () => {
    ({ here, there } = await twoHubs());
  });
  afterAll(() => stopBoth(here, there));

  const pair = async (): Promise<{ seller: Person; buyer: Person }> => {
    const [seller, buyer] = [await here.seller([{ stock: 1_000 }]), await here.buyer()];
    await Promise.all([seller.connect(), buyer.connect()]);
    return { seller, buyer };
  };

  test('push every event at both hubs, whichever committed it', async () => {
    const { seller, buyer } = await pair();
    const [sellerThere, buyerThere] = [await listen(seller, undefined, there), await listen(buyer, undefined, there)];
    for (const _ of range(3)) {
      await buyer.place(seller);
      await buyerThere.at.place(seller);
    }
    for (const person of [seller, buyer, sellerThere.at, buyerThere.at]) {
      expect((await person.hears(6)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    }
    expect(inShort(sellerThere)).toEqual(['room:ready', ...range(6).map((index) => `seller ${index + 1}`)]);
  });

  test('resume a room with `last` at the other hub, each event once', async () => {
    const { seller, buyer } = await pair();
    await buyer.place(seller);
    await seller.hears(1);
    seller.disconnect();
    await buyer.place(seller);
    const moved = await listen(seller, { seller: 1 }, there);
    await buyer.place(seller);
    expect((await moved.at.hears(2)).map(({ seq }) => seq)).toEqual([2, 3]);
  });

  test('push stock alerts at both hubs, whichever changed the stock', async () => {
    const [seller, buyer] = [await here.seller([{ bookId: 'scarce', stock: 7 }]), await here.buyer()];
    const remote = device(seller, there);
    await Promise.all([seller.connect(), remote.connect()]);
    const alerted = (stocks: number[]) =>
      until(`both have received ${stocks}`, () =>
        [seller, remote].every(({ stockAlerts }) => stockAlerts.length === stocks.length),
      );
    await buyer.place(seller, [{ bookId: 'scarce', count: 2 }]);
    await alerted([5]);
    await device(seller, there).post(`/stores/${seller.storeId}/books/scarce/stock`, { add: -5 });
    await alerted([5, 0]);
    expect(remote.stockAlerts).toEqual(seller.stockAlerts);
    expect(seller.stockAlerts.map(({ bookId, stock }) => [bookId, stock])).toEqual([
      ['scarce', 5],
      ['scarce', 0],
    ]);
  });

  const endings: [string, (person: Person) => Promise<unknown>][] = [
    ['logout', (person) => person.post('/auth/logout')],
    ['password', (person) => changePassword(device(person))],
    ['unregistered', (person) => person.post('/auth/unregister', { password: PASSWORD })],
  ];
  test.each(endings)('disconnect the sockets of a session ended at the other hub: %s', async (reason, end) => {
    const person = await here.person();
    const remote = device(person, there);
    await remote.connect();
    await end(person);
    await until('the other hub disconnects the socket', () => remote.socket?.connected === false, DISCONNECT_WITHIN_MS);
    expect(remote.endings).toEqual([reason]);
    await expect(device(person, there).connect()).rejects.toMatchObject({ message: 'UNAUTHENTICATED' });
  });

  /** From a new session, the only one that remains. */
  async function changePassword(at: Person): Promise<unknown> {
    const { userId } = at;
    at.token = (await at.post<{ token: string }>('/auth/login', { userId, password: PASSWORD })).body.token;
    return at.post('/auth/password', { oldPassword: PASSWORD, newPassword: `${PASSWORD} again` });
  }

  test('find new batches by the primary key, whatever the number of rooms', async () => {
    const { dialect } = here.database;
    const sql = 'SELECT node_id, MAX(batch_no) FROM hub_batches GROUP BY node_id';
    const explained = await here.rows<Record<string, unknown>>(
      `EXPLAIN ${dialect.singleWriter ? 'QUERY PLAN ' : ''}${sql}`,
    );
    const plan = JSON.stringify(explained);
    // Neither a table scan nor a temporary table.
    expect(plan).toMatch(/PRIMARY|COVERING INDEX/);
    expect(plan).not.toMatch(/TEMP|filesort/i);
  });

  test('cannot share an embedded database: the second fails to start', async () => {
    if (!here.database.dialect.singleWriter) {
      // Any number of hubs can share a server.
      expect(there.url).not.toBe(here.url);
      return;
    }
    const database = await here.leave();
    const first = await TestHub.start({}, database);
    await expect(TestHub.start({}, database)).rejects.toThrow(/Another hub is using .*hub\.sqlite/);
    expect((await first.person()).userId).toBeTruthy();
    here = first;
    there = first;
  });

  test('pass the audit', async () => {
    expect(await audit(here)).toEqual([]);
  });
});
