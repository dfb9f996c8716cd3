import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { report, sized } from '../support/chaos.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import type { CommitMoment } from '../support/proxy.streams.js';
import { createTestDatabase } from '../support/test.database.js';
import { codeOf, dataOf, range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);
/** The number of cuts at each moment. */
const CUTS = sized(10, 100);
const CUT_WITHIN_MS = 10_000;
const PRICE = 100;

/**
 * The database connection is cut around a batch's COMMIT, so that its outcome is unknown until the hub resolves it. The embedded
 * database has no connection to cut: there, the same commands run without a cut.
 */
describe.each<CommitMoment>(['before', 'after'])('a database connection cut %s a COMMIT', (moment) => {
  let proxy: TcpProxy | undefined;
  let hub: TestHub;
  let seller: Person;
  let buyers: Person[];
  const counts = { cuts: 0, resolved: 0, unavailable: 0 };

  beforeAll(async () => {
    const own = await createTestDatabase();
    if (isServer) {
      proxy = await TcpProxy.before(own.url);
      await proxy.open();
    }
    hub = await TestHub.start({}, proxy ? { url: proxy.url, drop: own.drop } : own);
    seller = await hub.seller([{ price: PRICE, stock: 100_000 }]);
    buyers = await Promise.all(range(3).map(() => hub.buyer(10_000_000)));
    await Promise.all([seller, ...buyers].map((person) => person.connect()));
  });
  afterAll(async () => {
    await hub.stop();
    await proxy?.close();
    report(`COMMIT cut ${moment}`, {
      cuts: counts.cuts,
      'resolved by the hub': counts.resolved,
      UNAVAILABLE: counts.unavailable,
    });
  });

  /** The commands of one round: place and pay with keys, and place without one. */
  async function round(index: number, nth: number) {
    const order = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
    const [a, b, c] = buyers as [Person, Person, Person];
    const { orderId } = await a.place(seller);
    const place = { ...order(), key: `${moment}-${index}-place` };
    const pay = { orderId, key: `${moment}-${index}-pay` };
    let isCut = !proxy;
    const cut = proxy?.cutAtCommit(moment, nth).then(() => {
      isCut = true;
      counts.cuts++;
    });
    const keyed = () => [b.send('order:place', place), a.send('order:pay', pay)];
    const sent = [...keyed(), c.send('order:place', order())];
    const answers: Answer<Order>[] = await Promise.all(sent);
    await until(`the connection is cut ${moment} the COMMIT of round ${index}`, () => isCut, CUT_WITHIN_MS);
    await cut;
    return { orderId, answers, retry: () => Promise.all(keyed()) };
  }

  // The first batch holds one command, the second those that arrived meanwhile; the cut alternates between them.
  test.each(range(CUTS))('still yields the right answers: round %i', async (index) => {
    const before = { stock: await seller.stock(), balance: await seller.balance() };
    const orders = async () => (await hub.rows('SELECT order_id FROM orders')).length;
    const ordersBefore = await orders();
    const { orderId, answers, retry } = await round(index, 1 + (index % 2));
    counts.unavailable += answers.filter((answer) => codeOf(answer) === 'UNAVAILABLE').length;
    expect(answers.map(codeOf)).toEqual(['OK', 'OK', 'OK']);
    if (isServer) counts.resolved++;
    for (const answer of answers) expect(answer.replayed).toBeUndefined();

    const replayed = await retry();
    expect(replayed).toEqual(answers.slice(0, 2).map((answer) => ({ ...answer, replayed: true })));
    const [placed, paid, unkeyed] = answers.map(dataOf);
    expect(paid).toMatchObject({ orderId, status: 'paid', version: 2 });
    for (const order of [placed, unkeyed]) {
      const { timeline, ...rest } = await seller.does('order:get', { orderId: order?.orderId ?? '' });
      expect(rest).toEqual({ ...order, deliverTo: null, notes: [], allowed: ['cancel'] });
      expect(timeline).toHaveLength(1);
    }
    expect(await orders()).toBe(ordersBefore + 3);
    expect(await seller.stock()).toBe(before.stock - 3);
    expect(await seller.balance()).toBe(before.balance + PRICE);
  });

  test('delivers every event once', async () => {
    const heads = await hub.rows<{ head: number }>('SELECT head FROM rooms WHERE role = ? AND user_id = ?', [
      'seller',
      seller.userId,
    ]);
    expect(heads).toEqual([{ head: CUTS * 4 }]);
    expect((await seller.hears(CUTS * 4)).map(({ seq }) => seq)).toEqual(range(CUTS * 4).map((index) => index + 1));
    for (const [index, each] of [2, 1, 1].entries()) {
      const buyer = buyers[index] as Person;
      expect((await buyer.hears(CUTS * each)).map(({ seq }) => seq)).toEqual(
        range(CUTS * each).map((number) => number + 1),
      );
    }
    expect(await audit(hub)).toEqual([]);
  });
});
