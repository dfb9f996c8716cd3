import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandQueue } from '../../src/commands/command.queue.js';
import { PERIODS_MAX, type WalletTotals } from '../../src/contract/wallet.js';
import { TestHub } from '../support/hub.js';
import { entriesOf } from '../support/ledger.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range } from '../support/ways.js';

const PRICE = 700;
const DAY_SECONDS = 86_400;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

let hub: TestHub;
let buyer: Person;
let seller: Person;

const iso = (epochMs: number) => new Date(epochMs).toISOString();
const around = () => [iso(hub.now() - YEAR_MS), iso(hub.now() + YEAR_MS)];

/** More than there may be connections at once. */
async function deposit(person: Person, count: number, amount: number): Promise<void> {
  const commands = hub.hub.app.get(CommandQueue);
  await Promise.all(range(count).map(() => commands.submit('wallet:deposit', person.userId, { amount })));
}

async function totalsOf(person: Person, times: readonly string[]): Promise<WalletTotals['periods']> {
  const { status, body } = await person.get<WalletTotals>(`/wallet/totals?times=${times.join()}`);
  expect(status).toBe(200);
  return body.periods;
}

/** `sale 2 1400`, for each kind of each period. */
async function listed(person: Person, times: readonly string[]): Promise<string[][]> {
  const periods = await totalsOf(person, times);
  expect(periods.map(({ from, to }) => [from, to])).toEqual(times.slice(1).map((to, index) => [times[index], to]));
  return periods.map(({ totals }) => totals.map(({ kind, count, amount }) => `${kind} ${count} ${amount}`));
}

describe('the totals of a wallet', () => {
  beforeAll(async () => {
    hub = await TestHub.start({ sandbox: true });
  });
  afterAll(() => hub.stop());

  describe('of orders', () => {
    beforeAll(async () => {
      [buyer, seller] = [await hub.buyer(10_000), await hub.seller([{ price: PRICE, stock: 100 }])];
    });

    test('count money where it moved: a refund in its own period, not in that of its sale', async () => {
      const paidOrder = async () => {
        const { orderId } = await buyer.place(seller);
        return buyer.does('order:pay', { orderId });
      };
      const start = hub.now();
      const [kept, returned] = [await paidOrder(), await paidOrder()];
      await buyer.place(seller);
      await hub.advance(DAY_SECONDS);
      const second = hub.now();
      await seller.does('order:ship', { orderId: kept.orderId });
      await seller.does('order:refund', { orderId: kept.orderId, amount: 50 });
      await seller.does('order:cancel', { orderId: returned.orderId });
      await seller.post('/wallet/withdrawals', { amount: 600 });
      await hub.advance(DAY_SECONDS);
      const third = hub.now();
      await paidOrder();
      const times = [start - 1, second, third, third + HOUR_MS, third + 2 * HOUR_MS].map(iso);
      expect(await listed(seller, times)).toEqual([
        ['sale 2 1400'],
        ['withdrawal 1 -600', 'refunded 2 -750'],
        ['sale 1 700'],
        [],
      ]);
      expect(await listed(buyer, times)).toEqual([['payment 2 -1400'], ['refund 2 750'], ['payment 1 -700'], []]);
      const clerk = await hub.register();
      await seller.post('/staff', { userId: clerk.userId, rights: ['read', 'money'] });
      clerk.actingFor = seller.userId;
      expect(await listed(clerk, around())).toEqual([['withdrawal 1 -600', 'sale 3 2100', 'refunded 2 -750']]);
      await seller.post('/staff', { userId: clerk.userId, rights: ['read', 'sell'] });
      const { status, body } = await clerk.get<Failure>(`/wallet/totals?times=${around()}`);
      expect([status, body.error]).toMatchObject([403, { code: 'FORBIDDEN', details: { right: 'money' } }]);
    });

    test('begin with a period’s first moment and end before the next', async () => {
      const person = await hub.buyer(40);
      const at = Date.parse((await entriesOf(person))[0]?.at ?? '');
      expect(await listed(person, [at - 1, at, at + 1].map(iso))).toEqual([[], ['deposit 1 40']]);
      expect(await listed(person, [at, at + 1].map(iso))).toEqual([['deposit 1 40']]);
      expect(await listed(person, [at - 1, at].map(iso))).toEqual([[]]);
    });
  });

  test('are those of the ledger, however long it is and wherever the periods begin', async () => {
    const person = await hub.buyer(1);
    for (const amount of [1, 3, 5]) {
      await hub.advance(HOUR_MS / 1_000);
      await deposit(person, 900, amount);
    }
    const response = await fetch(`${hub.url}/wallet/export?format=ndjson`, {
      headers: { authorization: `Bearer ${person.token}` },
    });
    const lines = (await response.text()).trimEnd().split('\n');
    const entries: { at: string; amount: number }[] = lines.map((line) => JSON.parse(line));
    expect(entries).toHaveLength(2_701);
    const [first, last] = [Date.parse(entries[0]?.at ?? ''), Date.parse(entries.at(-1)?.at ?? '')];
    const step = Math.ceil((last - first + 2) / PERIODS_MAX);
    const times = range(PERIODS_MAX + 1).map((index) => iso(first - 1 + index * step));
    const expected = times.slice(1).map((to, index) => {
      const inside = entries.filter(({ at }) => at >= (times[index] ?? '') && at < to);
      const amount = inside.reduce((sum, entry) => sum + entry.amount, 0);
      return inside.length === 0 ? [] : [`deposit ${inside.length} ${amount}`];
    });
    expect(await listed(person, times)).toEqual(expected);
  });

  test('miss nothing where a clock was set back', async () => {
    const person = await hub.buyer(1);
    await deposit(person, 60, 1);
    const middle = hub.now();
    const minutes = (entryNo: number) => (entryNo % 2 === 0 ? 29 : -29) * 60_000 * (entryNo < 20 ? -1 : 1);
    for (const entryNo of range(61).map((index) => index + 1)) {
      const sql = 'UPDATE wallet_entries SET at = ? WHERE user_id = ? AND entry_no = ?';
      await hub.database.writer.query(sql, [middle + minutes(entryNo), person.userId, entryNo]);
    }
    expect(await listed(person, [middle - HOUR_MS, middle].map(iso))).toEqual([['deposit 30 30']]);
    expect(await listed(person, [middle, middle + HOUR_MS].map(iso))).toEqual([['deposit 31 31']]);
  });

  test('of the largest amounts are exact', async () => {
    const person = await hub.register();
    const amount = 1_000_000_000_000;
    await deposit(person, 1_500, amount);
    expect(await listed(person, around())).toEqual([[`deposit 1500 ${1_500 * amount}`]]);
  });

  test.each([
    ['no times', ''],
    ['one time', '?times=2026-01-01T00:00:00.000Z'],
    ['a time twice', '?times=2026-01-01T00:00:00.000Z,2026-01-01T00:00:00.000Z'],
    ['times that go back', '?times=2026-01-02T00:00:00.000Z,2026-01-01T00:00:00.000Z'],
    ['something else than a time', '?times=2026-01-01T00:00:00.000Z,today'],
    ['a period too many', `?times=${range(PERIODS_MAX + 2).map((day) => iso(day * DAY_SECONDS * 1_000))}`],
  ])('are refused for %s', async (_, query) => {
    const { status, body } = await buyer.get<Failure>(`/wallet/totals${query}`);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['times']]);
  });
});

describe('an export of a span', () => {
  beforeAll(async () => {
    hub = await TestHub.start({ sandbox: true });
    [buyer, seller] = [await hub.buyer(10_000), await hub.seller([{ price: PRICE, stock: 100 }])];
  });
  afterAll(() => hub.stop());

  test('holds the orders placed, and the entries of money moved, from its first moment to before its last', async () => {
    const orderIds: string[] = [];
    const times: number[] = [];
    for (const _ of range(4)) {
      const { orderId } = await buyer.place(seller);
      const { paidAt } = await buyer.does('order:pay', { orderId });
      orderIds.push(orderId);
      times.push(Date.parse(paidAt ?? ''));
      await hub.advance(2 * DAY_SECONDS);
    }
    const [, second = 0, , fourth = 0] = times;
    const exported = async (path: string) => {
      const response = await fetch(`${hub.url}${path}&format=ndjson`, {
        headers: { authorization: `Bearer ${seller.token}` },
      });
      expect(response.status).toBe(200);
      const lines = (await response.text()).split('\n').filter((line) => line !== '');
      return lines.map((line) => (JSON.parse(line) as { orderId: string }).orderId);
    };
    const entries = (from: number, to: number) => exported(`/wallet/export?from=${iso(from)}&to=${iso(to)}`);
    expect(await entries(second, fourth)).toEqual(orderIds.slice(1, 3));
    expect(await entries(second + 1, fourth + 1)).toEqual(orderIds.slice(2));
    expect(await exported(`/wallet/export?from=${iso(second)}`)).toEqual(orderIds.slice(1));
    expect(await exported(`/wallet/export?to=${iso(second)}`)).toEqual(orderIds.slice(0, 1));
    const placed = async (index: number) => {
      return (await buyer.does('order:get', { orderId: orderIds[index] ?? '' })).placedAt;
    };
    const [from, to] = [await placed(1), await placed(3)];
    expect(await exported(`/orders/export?role=seller&from=${from}&to=${to}`)).toEqual(orderIds.slice(1, 3));
    expect(await exported(`/orders/export?role=seller&from=${to}`)).toEqual(orderIds.slice(3));
    expect(await exported(`/orders/export?role=seller&from=${iso(hub.now())}`)).toEqual([]);
    expect(await exported(`/orders/export?role=seller&to=${from}`)).toEqual(orderIds.slice(0, 1));
  });
});
