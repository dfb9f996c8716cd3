import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { inShort, listen } from '../support/ear.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { device, range, stopBoth, twoHubs } from '../support/ways.js';

/** The contract gives it five seconds. */
const CUT_WITHIN_MS = 5_000;

/** Two hubs on one database of a server. The embedded database has one hub, which must keep the same promises. */
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

  test('an event is heard at every hub of the database, whichever hub committed it', async () => {
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

  test('who moves to another hub with `last` misses nothing and sees nothing twice', async () => {
    const { seller, buyer } = await pair();
    await buyer.place(seller);
    await seller.hears(1);
    seller.disconnect();
    await buyer.place(seller);
    const moved = await listen(seller, { seller: 1 }, there);
    await buyer.place(seller);
    expect((await moved.at.hears(2)).map(({ seq }) => seq)).toEqual([2, 3]);
  });

  test('an owner is told of low stock at every hub, whichever hub sold the copies or took them away', async () => {
    const [seller, buyer] = [await here.seller([{ bookId: 'scarce', stock: 7 }]), await here.buyer()];
    const elsewhere = device(seller, there);
    await Promise.all([seller.connect(), elsewhere.connect()]);
    const tells = (stocks: number[]) =>
      until(`both are told of ${stocks}`, () =>
        [seller, elsewhere].every(({ stockAlerts }) => stockAlerts.length === stocks.length),
      );
    await buyer.place(seller, [{ bookId: 'scarce', count: 2 }]);
    await tells([5]);
    await device(seller, there).post(`/stores/${seller.storeId}/books/scarce/stock`, { add: -5 });
    await tells([5, 0]);
    expect(elsewhere.stockAlerts).toEqual(seller.stockAlerts);
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
  test.each(endings)('a session that is ended at one hub (%s) is cut at the others', async (reason, end) => {
    const person = await here.person();
    const elsewhere = device(person, there);
    await elsewhere.connect();
    await end(person);
    await until('the other hub cuts the socket', () => elsewhere.socket?.connected === false, CUT_WITHIN_MS);
    expect(elsewhere.endings).toEqual([reason]);
    await expect(device(person, there).connect()).rejects.toMatchObject({ message: 'UNAUTHENTICATED' });
  });

  /** Through a session of its own, which is the one that stays. */
  async function changePassword(at: Person): Promise<unknown> {
    const { userId } = at;
    at.token = (await at.post<{ token: string }>('/auth/login', { userId, password: PASSWORD })).body.token;
    return at.post('/auth/password', { oldPassword: PASSWORD, newPassword: `${PASSWORD} again` });
  }

  test('what it costs to look for the news of other hubs does not grow with rooms', async () => {
    const { dialect } = here.database;
    const sql = 'SELECT node_id, MAX(batch_no) FROM hub_batches GROUP BY node_id';
    const explained = await here.rows<Record<string, unknown>>(
      `EXPLAIN ${dialect.singleWriter ? 'QUERY PLAN ' : ''}${sql}`,
    );
    const plan = JSON.stringify(explained);
    // Along the primary key: never the rows themselves, nor a table of its own to sort them.
    expect(plan).toMatch(/PRIMARY|COVERING INDEX/);
    expect(plan).not.toMatch(/TEMP|filesort/i);
  });

  test('a second hub on an embedded database refuses to start, and says why', async () => {
    if (!here.database.dialect.singleWriter) {
      // Any number of hubs may share a server.
      expect(there.url).not.toBe(here.url);
      return;
    }
    const own = await here.leave();
    const first = await TestHub.start({}, own);
    await expect(TestHub.start({}, own)).rejects.toThrow(/Another hub is using .*hub\.sqlite/);
    expect((await first.person()).userId).toBeTruthy();
    here = first;
    there = first;
  });

  test('after all this the books balance', async () => {
    expect(await audit(here)).toEqual([]);
  });
});
