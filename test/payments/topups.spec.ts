import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { TopupPage, TopupView } from '../../src/contract/payments.js';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { movementsOf } from '../support/ledger.js';
import { withTestProvider } from '../support/payments.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range } from '../support/ways.js';

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';
const PRICE = 1_000;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What a browser sends when one of the form's buttons is pressed. */
function say(url: string, answer: 'yes' | 'no'): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams({ answer }) });
}

describe('a top-up through the test provider', () => {
  let hub: TestHub;
  let operator: Person;
  let seller: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ funds: 'provider', operatorKey: OPERATOR_KEY, ...withTestProvider });
    operator = new Person(hub, 'operator', OPERATOR_KEY);
    seller = await hub.seller([{ price: PRICE, stock: 1_000 }]);
  });
  afterAll(() => hub.stop());

  const begin = (person: Person, request: object) => person.post<TopupPage & Failure>('/wallet/topups', request);
  const stateOf = async (person: Person, topupId: string) =>
    (await person.get<TopupView>(`/wallet/topups/${topupId}`)).body;

  test('is pending until its user says yes on a page that works without script', async () => {
    const person = await hub.person();
    const { status, body } = await begin(person, { amount: 500 });
    expect([status, body]).toEqual([
      201,
      { topupId: expect.any(String), status: 'pending', amount: 500, next: { url: expect.any(String) } },
    ]);
    const { topupId, next } = body;
    expect(await stateOf(person, topupId)).toEqual({
      ...{ topupId, status: 'pending', amount: 500, orderId: null },
      ...{ createdAt: expect.stringMatching(ISO_TIME), settledAt: null },
    });
    const page = await (await fetch(next.url)).text();
    expect(page).toContain('CN¥5.00');
    expect(page).toMatch(/<form method="post"><button name="answer" value="yes">/);
    expect(page).not.toContain('<script');
    const answered = await say(next.url, 'yes');
    expect(await answered.text()).toContain('Paid.');
    expect(await stateOf(person, topupId)).toMatchObject({
      status: 'succeeded',
      settledAt: expect.stringMatching(ISO_TIME),
    });
    expect(await movementsOf(person)).toEqual([['deposit', 500, 500, null]]);
  });

  test('is credited once however often its user says yes, and failed after a no', async () => {
    const person = await hub.person();
    const { next, topupId } = (await begin(person, { amount: 500 })).body;
    await Promise.all(range(20).map(() => say(next.url, 'yes')));
    await say(next.url, 'no');
    expect([await person.balance(), (await stateOf(person, topupId)).status]).toEqual([500, 'succeeded']);
    const other = (await begin(person, { amount: 500 })).body;
    await say(other.next.url, 'no');
    expect([await person.balance(), (await stateOf(person, other.topupId)).status]).toEqual([500, 'failed']);
    await say(other.next.url, 'yes');
    expect([await person.balance(), (await stateOf(person, other.topupId)).status]).toEqual([1_000, 'succeeded']);
  });

  test('pays its order in the same transaction', async () => {
    const buyer = await hub.person();
    const { orderId } = await buyer.place(seller);
    const { next, topupId } = (await begin(buyer, { amount: PRICE + 7, orderId })).body;
    const before = await seller.balance();
    await say(next.url, 'yes');
    const order = await buyer.does('order:get', { orderId });
    expect([order.status, order.timeline.at(-1)]).toEqual([
      'paid',
      expect.objectContaining({ command: 'pay', by: buyer.userId }),
    ]);
    expect(await movementsOf(buyer)).toEqual([
      ['payment', -PRICE, 7, orderId],
      ['deposit', PRICE + 7, PRICE + 7, null],
    ]);
    expect(await seller.balance()).toBe(before + PRICE);
    expect((await stateOf(buyer, topupId)).orderId).toBe(orderId);
    expect((await buyer.hears(2)).map(({ status }) => status)).toEqual(['placed', 'paid']);
  });

  test('leaves the money as balance if its order can no longer be paid', async () => {
    const buyer = await hub.person();
    const { orderId } = await buyer.place(seller);
    const { next } = (await begin(buyer, { amount: PRICE, orderId })).body;
    await buyer.does('order:cancel', { orderId });
    await say(next.url, 'yes');
    expect(await movementsOf(buyer)).toEqual([['deposit', PRICE, PRICE, null]]);
  });

  test('for an order is its buyer’s, while it can be paid, of at least what is missing', async () => {
    const buyer = await hub.person();
    const { orderId } = await buyer.place(seller);
    const refusal = async (person: Person, request: object) => {
      const { status, body } = await begin(person, request);
      return [status, body.error.code, body.error.code === 'BAD_MESSAGE' ? faultPaths(body.error) : body.error.details];
    };
    expect(await refusal(buyer, { amount: PRICE - 1, orderId })).toEqual([400, 'BAD_MESSAGE', ['amount']]);
    expect(await refusal(await hub.person(), { amount: PRICE, orderId })).toEqual([403, 'FORBIDDEN', undefined]);
    expect(await refusal(seller, { amount: PRICE, orderId })).toEqual([403, 'FORBIDDEN', undefined]);
    expect(await refusal(buyer, { amount: PRICE, orderId: 'none' })).toEqual([404, 'ORDER_NOT_FOUND', undefined]);
    await operator.post('/wallet/deposits', { userId: buyer.userId, amount: 400 });
    expect((await begin(buyer, { amount: PRICE - 400, orderId })).status).toBe(201);
    await buyer.does('order:cancel', { orderId });
    const details = { status: 'cancelled', allowed: [] };
    expect(await refusal(buyer, { amount: PRICE, orderId })).toEqual([409, 'ORDER_STATE', details]);
    expect(await buyer.balance()).toBe(400);
  });

  test('with a key is one, also by header and of many at once', async () => {
    const person = await hub.person();
    const answers = await Promise.all(range(10).map(() => begin(person, { amount: 300, key: 'one' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const again = await person.post('/wallet/topups', { amount: 300 }, { 'Idempotency-Key': 'one' });
    expect([again.body, again.headers.get('Idempotency-Replayed')]).toEqual([answers[0]?.body, 'true']);
    expect((await begin(person, { amount: 301, key: 'one' })).body.error.code).toBe('KEY_REUSED');
    expect((await person.get<Page<TopupView>>('/wallet/topups')).body.items).toHaveLength(1);
  });

  test('is in its user’s list only, newest first, page by page', async () => {
    const person = await hub.person();
    for (const amount of range(5)) await begin(person, { amount: amount + 1 });
    const first = (await person.get<Page<TopupView>>('/wallet/topups?limit=3')).body;
    const rest = (await person.get<Page<TopupView>>(`/wallet/topups?limit=3&after=${first.next}`)).body;
    expect([...first.items, ...rest.items].map(({ amount }) => amount)).toEqual([5, 4, 3, 2, 1]);
    expect(rest.next).toBeNull();
    const { topupId } = first.items[0] as TopupView;
    const foreign = await seller.get<Failure>(`/wallet/topups/${topupId}`);
    expect([foreign.status, foreign.body.error]).toEqual([
      404,
      expect.objectContaining({ code: 'NOT_FOUND', details: { what: 'topup' } }),
    ]);
    expect((await hub.person().then((other) => other.get('/wallet/topups'))).body).toEqual({ items: [], next: null });
  });

  test('keeps its user from leaving while the money may still come', async () => {
    const person = await hub.person();
    const leave = () => person.post<Failure>('/auth/unregister', { password: PASSWORD });
    const { next } = (await begin(person, { amount: 500 })).body;
    const { status, body } = await leave();
    expect([status, body.error.code, body.error.details]).toEqual([409, 'ORDER_STATE', { open: 0, balance: 0 }]);
    expect(body.error.message).toMatch(/top-up or a withdrawal/);
    await say(next.url, 'no');
    expect((await leave()).status).toBe(204);
  });

  test('is the only way in but the operator’s key', async () => {
    const person = await hub.person();
    const { status, body } = await person.post<Failure>('/wallet/deposits', { amount: 100 });
    expect([status, body.error.code, body.error.details]).toEqual([403, 'FORBIDDEN', { right: 'funds' }]);
    const deposit = (request: object) => operator.post<{ balance: number } & Failure>('/wallet/deposits', request);
    const { userId } = person;
    expect((await deposit({ userId, amount: 100, key: 'pay-in' })).body).toEqual({ balance: 100 });
    const again = await deposit({ userId, amount: 100, key: 'pay-in' });
    expect([again.body, again.headers.get('Idempotency-Replayed')]).toEqual([{ balance: 100 }, 'true']);
    expect((await deposit({ userId: seller.userId, amount: 100, key: 'pay-in' })).body.error.code).toBe('KEY_REUSED');
    expect((await deposit({ userId: 'nobody', amount: 100 })).body.error.code).toBe('USER_NOT_FOUND');
    expect(faultPaths((await deposit({ amount: 100 })).body.error)).toEqual(['userId']);
    expect(await person.balance()).toBe(100);
  });

  test('has events that only its provider can send', async () => {
    const { topupId } = (await begin(await hub.person(), { amount: 300 })).body;
    const event = JSON.stringify({ eventId: 'e', topupId, paid: { amount: 300, currency: 'CNY' } });
    for (const headers of [{}, { 'test-signature': '' }, { 'test-signature': 'a'.repeat(64) }] as Record<
      string,
      string
    >[]) {
      const answer = await fetch(`${hub.url}/payments/events`, { method: 'POST', headers, body: event });
      expect([answer.status, await answer.json()]).toMatchObject([401, { error: { code: 'UNAUTHENTICATED' } }]);
    }
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

describe('a hub without a payment provider', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start({ operatorKey: OPERATOR_KEY });
  });
  afterAll(() => hub.stop());

  test('has no top-ups, takes no events, and lets the operator deposit too', async () => {
    const person = await hub.buyer(50);
    expect((await person.post<Failure>('/wallet/topups', { amount: 1 })).body.error.code).toBe('UNKNOWN_MESSAGE');
    expect((await person.get('/wallet/topups')).body).toEqual({ items: [], next: null });
    expect((await fetch(`${hub.url}/payments/events`, { method: 'POST', body: '{}' })).status).toBe(401);
    const operator = new Person(hub, 'operator', OPERATOR_KEY);
    const deposit = { userId: person.userId, amount: 100 };
    expect((await operator.post('/wallet/deposits', deposit)).body).toEqual({ balance: 150 });
    const own = await person.post<Failure>('/wallet/deposits', deposit);
    expect(faultPaths(own.body.error)).toEqual(['userId']);
  });
});
