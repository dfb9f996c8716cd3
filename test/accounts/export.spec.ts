import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub, until } from '../support/hub.js';
import { withTestProvider } from '../support/payments.js';
import { Person } from '../support/person.js';
import type { Failure } from '../support/refused.js';
import { range } from '../support/ways.js';

type Line = { type: string } & Record<string, unknown>;
const deliverTo = { name: '林小雨', lines: ['1 Elm Street'], phone: '555' };

describe('the export', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start(withTestProvider);
    seller = await hub.seller([{ stock: 100_000 }, {}]);
    buyer = await hub.buyer(10 ** 6);
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  async function exportOf(person: Person): Promise<Line[]> {
    const response = await fetch(`${hub.url}/me/export`, { headers: { authorization: `Bearer ${person.token}` } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    const text = await response.text();
    expect(text.endsWith('\n')).toBe(true);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
  const ofKind = (lines: Line[], type: string) => lines.filter((line) => line.type === type);

  test('is all that the hub keeps of the caller, a line each, and no secret', async () => {
    const items = [{ bookId: 'book-1', count: 2 }];
    const { orderId } = await buyer.does('order:place', { storeId: seller.storeId, items, deliverTo, note: 'knock' });
    await buyer.does('order:pay', { orderId });
    await seller.does('order:note', { orderId, text: 'done' });
    const { body: key } = await buyer.post<{ keyId: string; secret: string }>('/auth/keys', {
      name: 'till',
      rights: ['read'],
    });
    const lines = await exportOf(buyer);
    expect(lines[0]).toMatchObject({ type: 'profile', userId: buyer.userId, hasPassword: true });
    expect(lines.at(-1)).toEqual({ type: 'end' });
    expect(ofKind(lines, 'session')).toEqual([expect.objectContaining({ current: true })]);
    expect(ofKind(lines, 'key')).toEqual([expect.objectContaining({ keyId: key.keyId, name: 'till' })]);
    expect(ofKind(lines, 'wallet')).toEqual([{ type: 'wallet', ...(await buyer.get<object>('/wallet')).body }]);
    expect(ofKind(lines, 'entry').map(({ amount }) => amount)).toEqual([-2_000, 10 ** 6]);
    expect(ofKind(lines, 'order')).toEqual([{ type: 'order', ...(await buyer.does('order:get', { orderId })) }]);
    expect(ofKind(lines, 'event').map(({ command, seq }) => [command, seq])).toEqual([
      ['place', 1],
      ['pay', 2],
      ['note', 3],
    ]);
    const text = JSON.stringify(lines);
    expect(text).not.toContain(key.secret);
    expect(text).not.toContain(buyer.token);
    expect(text).not.toMatch(/argon2|passwordHash|tokenHash/);

    const sold = await exportOf(seller);
    expect(ofKind(sold, 'store')).toEqual([expect.objectContaining({ storeId: seller.storeId })]);
    expect(
      ofKind(sold, 'book')
        .map(({ bookId }) => bookId)
        .sort(),
    ).toEqual(['book-1', 'book-2']);
    expect(ofKind(sold, 'order')).toEqual([{ type: 'order', ...(await seller.does('order:get', { orderId })) }]);
  });

  test('holds what came and went through the payment provider', async () => {
    const person = await hub.buyer(700);
    const topup = (await person.post<{ topupId: string }>('/wallet/topups', { amount: 300 })).body;
    await person.post('/wallet/withdrawals', { amount: 200 });
    await until('it is paid out', async () => {
      const [payout] = await hub.rows<{ status: string }>('SELECT status FROM payouts WHERE user_id = ?', [
        person.userId,
      ]);
      return payout?.status === 'paid';
    });
    const lines = await exportOf(person);
    expect(ofKind(lines, 'topup')).toEqual([
      { type: 'topup', ...(await person.get<object>(`/wallet/topups/${topup.topupId}`)).body },
    ]);
    expect(ofKind(lines, 'payout')).toEqual([
      {
        ...{ type: 'payout', payoutId: expect.any(String), status: 'paid', amount: 200, currency: 'CNY' },
        ...{ createdAt: expect.any(String), settledAt: expect.any(String) },
      },
    ]);
  });

  test('holds each idempotency key with what is kept under it', async () => {
    const person = await hub.buyer();
    const { orderId } = await person.does('order:place', {
      ...{ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] },
      key: 'a-place',
    });
    await person.post('/wallet/withdrawals', { amount: 10 ** 9, key: 'b-withdrawal' });
    const answers = ofKind(await exportOf(person), 'answer');
    expect(answers).toEqual([
      {
        ...{ type: 'answer', key: 'a-place', messageHash: expect.any(String), at: expect.any(String) },
        reference: expect.objectContaining({ orderId, version: 1 }),
      },
      {
        ...{ type: 'answer', key: 'b-withdrawal', messageHash: expect.any(String), at: expect.any(String) },
        answer: { ok: false, error: expect.objectContaining({ code: 'INSUFFICIENT_FUNDS' }) },
      },
    ]);
  });

  test('pages through what does not fit into one', async () => {
    const busy = await hub.buyer(10 ** 6);
    const items = [{ bookId: 'book-1', count: 1 }];
    const place = (index: number) =>
      busy.does('order:place', { storeId: seller.storeId, items, deliverTo, key: `key-${index}` });
    const placed = await Promise.all(range(250).map(place));
    const lines = await exportOf(busy);
    expect(ofKind(lines, 'answer').map(({ key }) => key)).toEqual(
      range(250)
        .map((index) => `key-${index}`)
        .sort(),
    );
    expect(ofKind(lines, 'order').map((line) => line.orderId)).toEqual(placed.map(({ orderId }) => orderId).sort());
    expect(ofKind(lines, 'event').map(({ seq }) => seq)).toEqual(range(250).map((index) => index + 1));
    expect(lines.at(-1)).toEqual({ type: 'end' });
  });

  test('needs the rights read and money, and tells sessions and keys to a session only', async () => {
    const programOf = async (rights: string[]) => {
      const { body } = await buyer.post<{ secret: string }>('/auth/keys', { name: 'program', rights });
      return new Person(hub, buyer.userId, body.secret);
    };
    const lines = await exportOf(await programOf(['read', 'money']));
    expect(new Set(lines.map(({ type }) => type))).toEqual(
      new Set(['profile', 'wallet', 'entry', 'order', 'event', 'end']),
    );
    for (const [rights, right] of [
      [['read'], 'money'],
      [['money'], 'read'],
    ] as const) {
      const { status, body } = await (await programOf([...rights])).get<Failure>('/me/export');
      expect([status, body.error.code, body.error.details]).toEqual([403, 'FORBIDDEN', { right }]);
    }
    const nobody = new Person(hub, 'nobody', '');
    expect((await nobody.get<Failure>('/me/export')).body.error.code).toBe('UNAUTHENTICATED');
    expect((await buyer.get<Failure>('/me/export?x=1')).body.error.code).toBe('BAD_MESSAGE');
  });

  test('is cut for a client that reads nothing, and two at a time are all that a user has', async () => {
    const wordy = await hub.buyer();
    const items = [{ bookId: 'book-1', count: 1 }];
    const place = () => wordy.does('order:place', { storeId: seller.storeId, items, note: 'long' });
    await Promise.all(range(40).map(place));
    // More than what the kernel buffers of a connection.
    const sql = 'UPDATE order_notes SET text = ? WHERE user_id = ?';
    await hub.database.transaction((tx) => tx.query(sql, ['x'.repeat(1_000_000), wordy.userId]));
    const over = new AbortController();
    const headers = { authorization: `Bearer ${wordy.token}` };
    const ask = (path = '/me/export') => fetch(`${hub.url}${path}`, { headers, signal: over.signal });
    // Their bodies are never read.
    const unread = await Promise.all([ask(), ask()]);
    const others = [await ask(), await ask('/orders/export?role=buyer'), await ask('/wallet/export')];
    expect([...unread, ...others].map(({ status }) => status)).toEqual([200, 200, 503, 503, 503]);
    expect(others.map((answer) => answer.headers.get('content-disposition'))).toEqual([null, null, null]);
    await until('the hub has cut one of them', async () => {
      await sleep(1_000);
      return (await ask()).status === 200;
    });
    over.abort();
    await until('all are over', async () => {
      await sleep(200);
      const response = await fetch(`${hub.url}/me/export`, { headers });
      const text = await response.text().catch(() => '');
      return text.endsWith('{"type":"end"}\n');
    });
  });
});
