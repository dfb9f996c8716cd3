import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventPublisher } from '../../src/rooms/event.publisher.js';
import { follow, isLive } from '../support/follower.js';
import { holdNextHeads } from '../support/held.heads.js';
import { type TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { device, stopBoth, twoHubs } from '../support/ways.js';

const MONEY = 10_000;
const PRICE = 1_000;
/** Longer than any push takes to another hub. */
const QUIET_MS = 700;

describe.each([{ settleAt: 'paid' }, { settleAt: 'received' }] as const)(
  'wallet:changed, with $settleAt',
  (settings) => {
    let here: TestHub;
    /** Another hub on the same database, where the database has several. */
    let there: TestHub;
    let buyer: Person;
    let seller: Person;
    let remoteBuyer: Person;
    let remoteSeller: Person;
    let stranger: Person;
    const isHeld = settings.settleAt === 'received';

    beforeAll(async () => {
      ({ here, there } = await twoHubs(settings));
      [buyer, seller, stranger] = [
        await here.buyer(MONEY),
        await here.seller([{ price: PRICE, stock: 1_000 }]),
        await here.buyer(),
      ];
      [remoteBuyer, remoteSeller] = [device(buyer, there), device(seller, there)];
      for (const person of [buyer, seller, remoteBuyer, remoteSeller, stranger]) await person.connect();
      // What was deposited before may still be on its way to the other hub.
      await buyer.post('/wallet/deposits', { amount: 1 });
      await buyer.post('/wallet/withdrawals', { amount: 1 });
      const knowsBoth = ({ wallets }: Person) =>
        wallets.some(({ balance }) => balance === MONEY + 1) && wallets.at(-1)?.balance === MONEY;
      await until('both hubs have told the latest', () => knowsBoth(buyer) && knowsBoth(remoteBuyer));
    });
    afterAll(() => stopBoth(here, there));

    /** The wallets that each side is told of what `work` does, the same on every hub. */
    async function toldOf<Result>(work: () => Promise<Result>) {
      const [bought, sold] = [buyer.wallets.length, seller.wallets.length];
      const [remoteBought, remoteSold] = [remoteBuyer.wallets.length, remoteSeller.wallets.length];
      const result = await work();
      const [ofBuyer, ofSeller] = [await buyer.wallet(), await seller.wallet()];
      const isTold = (person: Person, { balance, held }: { balance: number; held: number }) => {
        const latest = person.wallets.at(-1);
        return !latest || (latest.balance === balance && latest.held === held);
      };
      await until(
        'all devices know the wallets',
        () =>
          [buyer, remoteBuyer].every((person) => isTold(person, ofBuyer)) &&
          [seller, remoteSeller].every((person) => isTold(person, ofSeller)),
      );
      await sleep(here === there ? 50 : QUIET_MS);
      const short = (person: Person, from: number) =>
        person.wallets.slice(from).map(({ balance, held }) => [balance, held]);
      expect(short(remoteBuyer, remoteBought)).toEqual(short(buyer, bought));
      expect(short(remoteSeller, remoteSold)).toEqual(short(seller, sold));
      return { result, buyer: short(buyer, bought), seller: short(seller, sold) };
    }

    test('tells the owner’s sockets on every hub of each change, and nobody else', async () => {
      const deposited = await toldOf(() => buyer.deposit(500));
      expect(deposited).toMatchObject({ buyer: [[MONEY + 500, 0]], seller: [] });
      expect(buyer.wallets.at(-1)).toStrictEqual({
        balance: MONEY + 500,
        held: 0,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      const withdrawn = await toldOf(() => buyer.post('/wallet/withdrawals', { amount: 500 }));
      expect(withdrawn).toMatchObject({ buyer: [[MONEY, 0]], seller: [] });

      const placed = await toldOf(() => buyer.place(seller));
      expect(placed).toMatchObject({ buyer: [], seller: [] });
      const { orderId } = placed.result;
      const paid = await toldOf(() => buyer.does('order:pay', { orderId, key: 'pays' }));
      expect(paid).toMatchObject({ buyer: [[MONEY - PRICE, 0]], seller: [isHeld ? [0, PRICE] : [PRICE, 0]] });
      expect(await toldOf(() => buyer.does('order:pay', { orderId, key: 'pays' }))).toMatchObject({
        buyer: [],
        seller: [],
      });
      expect(await toldOf(() => seller.does('order:ship', { orderId }))).toMatchObject({ buyer: [], seller: [] });
      const received = await toldOf(() => buyer.does('order:receive', { orderId }));
      expect(received).toMatchObject({ buyer: [], seller: isHeld ? [[PRICE, 0]] : [] });

      const next = await toldOf(async () => {
        const order = await buyer.place(seller);
        return buyer.does('order:pay', { orderId: order.orderId });
      });
      const cancelled = await toldOf(() => seller.does('order:cancel', { orderId: next.result.orderId }));
      expect(cancelled).toMatchObject({ buyer: [[MONEY - PRICE, 0]], seller: [[PRICE, 0]] });
      expect(await toldOf(() => buyer.isRefused('order:pay', { orderId }))).toMatchObject({ buyer: [], seller: [] });
      expect(stranger.wallets).toEqual([]);
    });

    test('never tells an older wallet after a newer one', async () => {
      const owner = await here.person();
      await owner.connect();
      const publisher = here.hub.app.get(EventPublisher);
      const push = (version: number) =>
        publisher.pushWallets({
          at: Date.now(),
          wallets: [{ userId: owner.userId, balance: version, held: 0, version }],
        });
      for (const version of [5, 4, 7, 6, 7, 9]) push(version);
      await until('the latest is told', () => owner.wallets.at(-1)?.balance === 9);
      expect(owner.wallets.map(({ balance }) => balance)).toEqual([5, 7, 9]);
    });

    test('tells of many changes in their order, from both hubs at once', async () => {
      const owner = await here.person();
      await owner.connect();
      const remote = await device(owner, there).connect();
      await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 ? owner : remote).deposit(1)));
      for (const { wallets } of [owner, remote]) {
        await until('the latest is told', () => wallets.at(-1)?.balance === 40);
        expect(wallets.every(({ balance }, index) => balance > (wallets[index - 1]?.balance ?? 0))).toBe(true);
      }
    });

    test('tells a socket that is not ready yet right after room:ready, and only the latest', async () => {
      const owner = await here.person();
      const { reading, release } = holdNextHeads(here);
      const connecting = owner.connect();
      await reading;
      await owner.deposit(1);
      await owner.deposit(1);
      release();
      await connecting;
      await until('the wallet is told', () => owner.wallets.length > 0);
      expect(owner.wallets).toMatchObject([{ balance: 2 }]);
    });

    test('is not for API keys without the right to money, and for one with it alone', async () => {
      const owner = await here.person();
      const keyed = async (rights: string[]) => {
        const { body } = await owner.post<{ secret: string }>('/auth/keys', { name: rights.join(' '), rights });
        return device(owner).connect({ token: body.secret });
      };
      const [reader, cashier] = [await keyed(['read', 'buy', 'sell', 'stock', 'staff']), await keyed(['money'])];
      await owner.deposit(7);
      await until('the key with the right is told', () => cashier.wallets.length === 1);
      // The answer to a later message follows every earlier push.
      await reader.does('room:read', { role: 'buyer', after: 0, limit: 1 });
      expect(reader.wallets).toEqual([]);
      expect(cashier.wallets).toMatchObject([{ balance: 7, held: 0 }]);
    });

    test('reaches listeners of the client library', async () => {
      const owner = await here.person();
      const follower = follow(here.url, owner);
      await isLive(follower);
      await owner.deposit(9);
      await until('the client is told', () => follower.wallets.length === 1);
      expect(follower.wallets).toMatchObject([{ balance: 9, held: 0 }]);
      follower.client.close();
    });
  },
);
