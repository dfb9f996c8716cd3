import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { Page } from '../../src/contract/fields.js';
import type { Entry } from '../../src/contract/wallet.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths, repeated, stranger } from '../support/refused.js';

const AMOUNT_MAX = 1_000_000_000_000;
const BALANCE_MAX = 9_007_199_254_740_991;

type Balance = { balance: number } & Failure;

async function entriesOf(person: Person): Promise<Entry[]> {
  const { status, body } = await person.get<Page<Entry>>('/wallet/entries?limit=100');
  expect([status, body.next]).toEqual([200, null]);
  return body.items;
}

/** Fewer than the command queue accepts at once. */
const CONCURRENT_DEPOSITS = 2_000;

/** Fills a wallet to the highest balance, by deposits. */
async function fillWallet(hub: TestHub, person: Person): Promise<Person> {
  const deposit = (amount: number) => hub.hub.app.get(CommandQueue).submit('wallet:deposit', person.userId, { amount });
  const whole = Math.floor(BALANCE_MAX / AMOUNT_MAX);
  for (let done = 0; done < whole; done += CONCURRENT_DEPOSITS) {
    const length = Math.min(CONCURRENT_DEPOSITS, whole - done);
    await Promise.all(Array.from({ length }, () => deposit(AMOUNT_MAX)));
  }
  await deposit(BALANCE_MAX - whole * AMOUNT_MAX);
  expect(await person.balance()).toBe(BALANCE_MAX);
  return person;
}

describe('the wallet', () => {
  let hub: TestHub;
  type Movement = 'deposits' | 'withdrawals';
  const move = (person: Person, movement: Movement, body: unknown, headers: Record<string, string> = {}) =>
    person.post<Balance>(`/wallet/${movement}`, body, headers);

  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  describe('deposits and withdrawals', () => {
    test('change the balance and return it', async () => {
      const person = await hub.person();
      const balance = await person.get('/wallet');
      expect([balance.status, balance.body]).toEqual([200, { balance: 0, held: 0 }]);
      const deposited = await move(person, 'deposits', { amount: 500 });
      expect([deposited.status, deposited.body]).toEqual([200, { balance: 500 }]);
      expect(deposited.headers.get('Idempotency-Replayed')).toBeNull();
      const withdrawn = await move(person, 'withdrawals', { amount: 499 });
      expect([withdrawn.status, withdrawn.body]).toEqual([200, { balance: 1 }]);
      expect((await move(person, 'withdrawals', { amount: 1 })).body).toEqual({ balance: 0 });
      expect(await person.balance()).toBe(0);
    });

    test('reject a withdrawal beyond the balance without effect', async () => {
      const person = await hub.buyer(99);
      const { status, body } = await move(person, 'withdrawals', { amount: 100 });
      expect(status).toBe(402);
      expect(body.error).toEqual({
        code: 'INSUFFICIENT_FUNDS',
        message: expect.any(String),
        retryable: false,
        details: { needed: 100, balance: 99 },
      });
      expect(await person.balance()).toBe(99);
      expect(await entriesOf(person)).toHaveLength(1);
    });

    test('never overdraw by concurrent withdrawals', async () => {
      const person = await hub.buyer(1_000);
      const answers = await Promise.all(Array.from({ length: 20 }, () => move(person, 'withdrawals', { amount: 300 })));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
      expect(answers.filter(({ status }) => status === 402)).toHaveLength(17);
      expect(await person.balance()).toBe(100);
    });

    test.each([1, AMOUNT_MAX])('accept an amount of %d', async (amount) => {
      const person = await hub.person();
      expect((await move(person, 'deposits', { amount })).body).toEqual({ balance: amount });
      expect((await move(person, 'withdrawals', { amount })).body).toEqual({ balance: 0 });
    });

    test.each<[string, unknown]>([
      ['0', 0],
      ['negative', -1],
      ['a fraction', 1.5],
      ['beyond 10^12', AMOUNT_MAX + 1],
      ['beyond 2^53−1', 2 ** 53],
      ['a string', '100'],
      ['a boolean', true],
      ['null', null],
      ['missing', undefined],
      ['a list', [100]],
    ])('reject an amount that is %s', async (_, amount) => {
      const person = await hub.buyer(100);
      for (const movement of ['deposits', 'withdrawals'] as const) {
        const { status, body } = await move(person, movement, { amount });
        expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['amount']]);
      }
      expect(await person.balance()).toBe(100);
    });

    test('require a token and concern the caller only', async () => {
      const anyone = stranger(hub);
      for (const path of ['/wallet', '/wallet/entries']) expect((await anyone.get(path)).status).toBe(401);
      for (const movement of ['deposits', 'withdrawals'] as const) {
        expect((await move(anyone, movement, { amount: 1 })).status).toBe(401);
        const other = await move(await hub.buyer(5), movement, { amount: 1, userId: 'other-user' });
        expect([other.status, faultPaths(other.body.error)]).toEqual([400, ['userId']]);
      }
    });
  });

  describe('at the highest balance', () => {
    let rich: Person;
    beforeAll(async () => {
      rich = await fillWallet(hub, await hub.person());
    });

    test('a deposit is BAD_MESSAGE and not stored under its key', async () => {
      const { status, body } = await move(rich, 'deposits', { amount: 1, key: 'one-too-many' });
      expect([status, body.error.code, body.error.retryable]).toEqual([400, 'BAD_MESSAGE', false]);
      expect(await rich.balance()).toBe(BALANCE_MAX);
      expect((await move(rich, 'withdrawals', { amount: 1 })).body).toEqual({ balance: BALANCE_MAX - 1 });
      const again = await move(rich, 'deposits', { amount: 1, key: 'one-too-many' });
      expect([again.status, again.body]).toEqual([200, { balance: BALANCE_MAX }]);
      expect(again.headers.get('Idempotency-Replayed')).toBeNull();
    });

    test('a sale is BAD_MESSAGE and the buyer keeps the money', async () => {
      rich.storeId = 'store-of-the-rich';
      await rich.post('/stores', { storeId: rich.storeId });
      await rich.post(`/stores/${rich.storeId}/books`, { bookId: 'book-1', title: 'Gold', price: 1, stock: 5 });
      const buyer = await hub.buyer(10);
      const { orderId } = await buyer.place(rich);
      expect(await buyer.isRefused('order:pay', { orderId })).toMatchObject({ code: 'BAD_MESSAGE', retryable: false });
      expect([await buyer.balance(), await rich.balance()]).toEqual([10, BALANCE_MAX]);
      expect(await buyer.does('order:get', { orderId })).toMatchObject({ status: 'placed', version: 1 });
    });

    test('a refund is BAD_MESSAGE and the order stays paid', async () => {
      const seller = await hub.seller();
      const { orderId } = await rich.place(seller);
      await rich.does('order:pay', { orderId });
      await move(rich, 'deposits', { amount: 1_000 });
      expect(await rich.balance()).toBe(BALANCE_MAX);
      for (const person of [rich, seller]) {
        expect(await person.isRefused('order:cancel', { orderId })).toMatchObject({ code: 'BAD_MESSAGE' });
      }
      expect(await seller.balance()).toBe(1_000);
      expect(await rich.does('order:get', { orderId })).toMatchObject({ status: 'paid', version: 2 });
      await move(rich, 'withdrawals', { amount: 1_000 });
      expect(await seller.does('order:cancel', { orderId })).toMatchObject({ status: 'cancelled' });
      expect([await rich.balance(), await seller.balance()]).toEqual([BALANCE_MAX, 0]);
    });
  });

  describe('the ledger', () => {
    let buyer: Person;
    let seller: Person;
    let paid: string;
    let cancelled: string;
    let free: string;

    beforeAll(async () => {
      seller = await hub.seller([{ price: 300 }, { price: 0 }]);
      buyer = await hub.buyer(1_000);
      const order = async (bookId: string) => {
        const { orderId } = await buyer.place(seller, [{ bookId, count: 1 }]);
        await buyer.does('order:pay', { orderId });
        return orderId;
      };
      paid = await order('book-1');
      cancelled = await order('book-1');
      await seller.does('order:cancel', { orderId: cancelled });
      free = await order('book-2');
      await move(buyer, 'withdrawals', { amount: 50 });
      await move(buyer, 'withdrawals', { amount: 5_000 });
    });

    test('of a buyer lists every movement, newest first, signed, with the balance after each', async () => {
      const entries = await entriesOf(buyer);
      expect(entries.map(({ kind, amount, balance, orderId }) => [kind, amount, balance, orderId])).toEqual([
        ['withdrawal', -50, 650, null],
        ['payment', 0, 700, free],
        ['refund', 300, 700, cancelled],
        ['payment', -300, 400, cancelled],
        ['payment', -300, 700, paid],
        ['deposit', 1_000, 1_000, null],
      ]);
    });

    test('of a seller lists sales and refunds', async () => {
      const entries = await entriesOf(seller);
      expect(entries.map(({ kind, amount, balance, orderId }) => [kind, amount, balance, orderId])).toEqual([
        ['sale', 0, 300, free],
        ['refunded', -300, 300, cancelled],
        ['sale', 300, 600, cancelled],
        ['sale', 300, 300, paid],
      ]);
    });

    test('sums up to the balance, entry by entry', async () => {
      for (const person of [buyer, seller]) {
        const entries = await entriesOf(person);
        expect(entries.reduce((sum, { amount }) => sum + amount, 0)).toBe(await person.balance());
        expect(entries[0]?.balance).toBe(await person.balance());
        entries.forEach(({ amount, balance }, index) => {
          expect(balance - amount).toBe(entries[index + 1]?.balance ?? 0);
        });
      }
    });

    test('has entries of one shape with unique ids', async () => {
      const entries = await entriesOf(buyer);
      for (const entry of entries) {
        expect(entry).toEqual({
          entryId: expect.any(String),
          amount: expect.any(Number),
          balance: expect.any(Number),
          kind: expect.any(String),
          orderId: entry.orderId === null ? null : expect.any(String),
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        });
      }
      expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(entries.length);
      const times = entries.map(({ at }) => at);
      expect(times).toEqual([...times].sort().reverse());
    });

    test('of a new user is empty', async () => {
      const { status, body } = await (await hub.person()).get('/wallet/entries');
      expect([status, body]).toEqual([200, { items: [], next: null }]);
    });

    test('returns each entry once over all pages, also while entries are added', async () => {
      const person = await hub.person();
      for (let amount = 1; amount <= 23; amount++) await person.deposit(amount);
      const amounts: number[] = [];
      const sizes: number[] = [];
      let next: string | null = '';
      while (next !== null) {
        const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
        const { body } = await person.get<Page<Entry>>(`/wallet/entries?limit=5${after}`);
        amounts.push(...body.items.map(({ amount }) => amount));
        sizes.push(body.items.length);
        next = body.next;
        await person.deposit(1_000);
      }
      expect(amounts).toEqual(Array.from({ length: 23 }, (_, index) => 23 - index));
      expect(sizes).toEqual([5, 5, 5, 5, 3]);
    });

    test('returns 20 entries by default, and no next after a full last page', async () => {
      const person = await hub.person();
      for (let amount = 1; amount <= 21; amount++) await person.deposit(amount);
      const first = await person.get<Page<Entry>>('/wallet/entries');
      expect([first.body.items.length, first.body.items[0]?.amount]).toEqual([20, 21]);
      expect(first.body.next).not.toBeNull();
      const all = await person.get<Page<Entry>>('/wallet/entries?limit=21');
      expect([all.body.items.length, all.body.next]).toEqual([21, null]);
    });

    test.each([
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=-1', 'limit'],
      ['limit=1.5', 'limit'],
      ['limit=ten', 'limit'],
      ['limit=', 'limit'],
      ['limit=1e1', 'limit'],
      ['limit=5&limit=5', 'limit'],
      ['after=', 'after'],
      ['after=nonsense', 'after'],
      [`after=${repeated('1', 65)}`, 'after'],
      ['kind=deposit', 'kind'],
    ])('rejects the query %s', async (query, path) => {
      const { status, body } = await buyer.get<Failure>(`/wallet/entries?${query}`);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    });
  });

  describe('an idempotency key', () => {
    const replayed = (headers: Headers) => headers.get('Idempotency-Replayed');

    test.each<[Movement, number]>([
      ['deposits', 1_100],
      ['withdrawals', 900],
    ])('executes %s once and replays the first answer', async (movement, balance) => {
      const person = await hub.buyer(1_000);
      const first = await move(person, movement, { amount: 100, key: 'k' });
      expect([first.status, first.body, replayed(first.headers)]).toEqual([200, { balance }, null]);
      await person.deposit(7);
      const again = await move(person, movement, { amount: 100, key: 'k' });
      expect([again.status, again.body, replayed(again.headers)]).toEqual([200, { balance }, 'true']);
      expect(await person.balance()).toBe(balance + 7);
    });

    test('is the same in the body and in the header', async () => {
      const person = await hub.person();
      const header = { 'Idempotency-Key': 'header-or-body' };
      await move(person, 'deposits', { amount: 10 }, header);
      const answers = await Promise.all([
        move(person, 'deposits', { amount: 10, key: 'header-or-body' }),
        move(person, 'deposits', { key: 'header-or-body', amount: 10 }, header),
        move(person, 'deposits', { amount: 10 }, header),
      ]);
      for (const { status, body, headers } of answers) {
        expect([status, body, replayed(headers)]).toEqual([200, { balance: 10 }, 'true']);
      }
      expect(await person.balance()).toBe(10);
    });

    test('is BAD_MESSAGE where body and header differ, and neither is stored', async () => {
      const person = await hub.person();
      const header = { 'Idempotency-Key': 'in-the-header' };
      const { status, body } = await move(person, 'deposits', { amount: 10, key: 'in-the-body' }, header);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['key']]);
      expect((await move(person, 'deposits', { amount: 1, key: 'in-the-body' })).body).toEqual({ balance: 1 });
      expect((await move(person, 'deposits', { amount: 2 }, header)).body).toEqual({ balance: 3 });
    });

    test('is KEY_REUSED with another amount or the other movement', async () => {
      const person = await hub.buyer(1_000);
      await move(person, 'deposits', { amount: 10, key: 'used' });
      for (const [movement, amount] of [
        ['deposits', 11],
        ['withdrawals', 10],
      ] as const) {
        const { status, body, headers } = await move(person, movement, { amount, key: 'used' });
        expect([status, body.error.code, body.error.retryable]).toEqual([422, 'KEY_REUSED', false]);
        expect(replayed(headers)).toBeNull();
      }
      const first = await move(person, 'deposits', { amount: 10, key: 'used' });
      expect([first.status, first.body]).toEqual([200, { balance: 1_010 }]);
      expect(await person.balance()).toBe(1_010);
    });

    test('belongs to its user', async () => {
      const [one, other] = [await hub.person(), await hub.person()];
      for (const person of [one, other]) {
        const { body, headers } = await move(person, 'deposits', { amount: 10, key: 'common' });
        expect([body, replayed(headers)]).toEqual([{ balance: 10 }, null]);
      }
    });

    test('is case-sensitive', async () => {
      const person = await hub.person();
      for (const key of ['Key', 'key', 'KEY']) await move(person, 'deposits', { amount: 10, key });
      expect(await person.balance()).toBe(30);
    });

    test('replays a rejection after its cause is gone', async () => {
      const person = await hub.buyer(5);
      const first = await move(person, 'withdrawals', { amount: 10, key: 'too-early' });
      expect([first.status, replayed(first.headers)]).toEqual([402, null]);
      await person.deposit(100);
      const again = await move(person, 'withdrawals', { amount: 10, key: 'too-early' });
      expect([again.status, again.body, replayed(again.headers)]).toEqual([402, first.body, 'true']);
      expect(await person.balance()).toBe(105);
    });

    test('sent 20 times concurrently takes effect once', async () => {
      const person = await hub.person();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => move(person, 'deposits', { amount: 10, key: 'impatient' })),
      );
      for (const { status, body } of answers) expect([status, body]).toEqual([200, { balance: 10 }]);
      expect(answers.filter(({ headers }) => replayed(headers) === null)).toHaveLength(1);
      expect(await entriesOf(person)).toHaveLength(1);
    });

    test('is not stored for an invalid message', async () => {
      const person = await hub.person();
      expect((await move(person, 'deposits', { amount: 0, key: 'second-try' })).status).toBe(400);
      const { status, body, headers } = await move(person, 'deposits', { amount: 10, key: 'second-try' });
      expect([status, body, replayed(headers)]).toEqual([200, { balance: 10 }, null]);
    });

    test.each<[string, unknown]>([
      ['empty', ''],
      ['65 characters long', repeated('k', 65)],
      ['with a space', 'a b'],
      ['with an accent', 'clé'],
      ['null', null],
      ['a number', 7],
    ])('is BAD_MESSAGE when %s', async (_, key) => {
      const person = await hub.person();
      const { status, body } = await move(person, 'deposits', { amount: 10, key });
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['key']]);
      expect(await person.balance()).toBe(0);
    });

    test('may consist of any 64 characters from ! to ~', async () => {
      const person = await hub.person();
      const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('');
      for (const key of [visible.slice(0, 64), visible.slice(30)]) {
        await move(person, 'deposits', { amount: 10, key });
        expect(replayed((await move(person, 'deposits', { amount: 10, key })).headers)).toBe('true');
      }
      expect(await person.balance()).toBe(20);
    });
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
