import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { TopupPage, TopupView } from '../../src/contract/payments.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import { movementsOf } from '../support/ledger.js';
import { LogBook } from '../support/log.book.js';
import { isServer } from '../support/on.server.js';
import { Person } from '../support/person.js';
import type { Failure } from '../support/refused.js';
import { StripeServer } from '../support/stripe.server.js';
import { createTestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';
const PRICE = 1_000;
const DEPOSIT = 5;
const EVENTS = '/payments/events';

describe('a provider', () => {
  let stripe: StripeServer;
  let hub: TestHub;
  /** A second hub on the same database, where that is possible. */
  let other: TestHub;
  let seller: Person;
  const log = new LogBook();

  beforeAll(async () => {
    stripe = await StripeServer.start();
    const config = { funds: 'provider', operatorKey: OPERATOR_KEY, logLevel: 'info', ...stripe.config } as const;
    const database = await createTestDatabase();
    hub = await TestHub.start(config, database, log);
    other = isServer ? await TestHub.start(config, database, log) : hub;
    seller = await hub.seller([{ price: PRICE, stock: 1_000 }]);
    const operator = new Person(hub, 'operator', OPERATOR_KEY);
    await operator.post('/wallet/deposits', { userId: seller.userId, amount: DEPOSIT });
  });
  afterEach(() => {
    stripe.mood = 'well';
  });
  afterAll(async () => {
    if (isServer) await other.leave();
    await hub.stop();
    await stripe.stop();
  });

  const begin = (person: Person, request: object) => person.post<TopupPage & Failure>('/wallet/topups', request);
  const topupOf = async (person: Person, amount: number, orderId?: string) => {
    const { status, body } = await begin(person, { amount, ...(orderId === undefined ? {} : { orderId }) });
    expect([status, body]).toEqual([201, expect.objectContaining({ next: { url: expect.stringMatching(/^http/) } })]);
    return body.topupId;
  };
  const statusOf = async (person: Person, topupId: string) =>
    (await person.get<TopupView>(`/wallet/topups/${topupId}`)).body.status;
  const send = (event: string, to = hub) => stripe.send(to.url, event);
  const makeDue = (table: 'topups' | 'payouts') =>
    hub.database.transaction(async (tx) => {
      await tx.query(`UPDATE ${table} SET due_at = 1 WHERE due_at IS NOT NULL`);
    });

  test('is told the amount, the currency and the top-up’s id as its idempotency key', async () => {
    const person = await hub.person();
    const topupId = await topupOf(person, 1_234);
    expect(stripe.sessionOf(topupId)).toMatchObject({ amount_total: 1_234, currency: 'cny' });
    expect(stripe.calls.at(-1)).toEqual({ path: 'POST /v1/checkout/sessions', key: topupId });
    expect(await send(stripe.pay(topupId))).toEqual({ status: 200, body: { received: true } });
    expect([await person.balance(), await statusOf(person, topupId)]).toEqual([1_234, 'succeeded']);
  });

  test('that is down or mute is UNAVAILABLE, and the same key goes on with the same top-up', async () => {
    const person = await hub.person();
    const request = { amount: 700, key: 'again' };
    const refused = async () => (await begin(person, request)).body.error;
    stripe.mood = 'down';
    expect(await refused()).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    stripe.mood = 'mute-after';
    expect(await refused()).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    stripe.mood = 'well';
    let answer = await begin(person, request);
    // The call that was not answered is given up after ten seconds.
    await until('the provider answers', async () => {
      answer = await begin(person, request);
      return answer.status === 201;
    });
    const { topupId } = answer.body;
    const sent = stripe.calls.filter(({ key }) => key === topupId);
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(stripe.sessionOf(topupId).url).toBe(answer.body.next.url);
    expect((await person.get<Page<TopupView>>('/wallet/topups')).body.items).toHaveLength(1);
  });

  test('that is mute delays nobody else, and holds no connection of the database', async () => {
    stripe.mood = 'mute';
    const people = await Promise.all(range(20).map(() => hub.person()));
    const waiting = people.flatMap((person) => range(5).map(() => begin(person, { amount: 100 })));
    const buyer = await hub.person();
    // Each of them is answered, or this throws.
    for (const _ of range(10)) {
      await buyer.place(seller);
      expect(await buyer.balance()).toBe(0);
    }
    const answers = await Promise.all(waiting);
    const codes = new Set(answers.map(({ body }) => body.error.code));
    expect([...codes].filter((code) => code !== 'UNAVAILABLE' && code !== 'OVERLOADED')).toEqual([]);
    stripe.mood = 'well';
    // Until the calls that nobody answers are given up.
    await until('the provider is asked again', async () => (await begin(buyer, { amount: 100 })).status === 201);
  });

  test('that refuses an amount is BAD_MESSAGE', async () => {
    stripe.mood = 'refusing';
    expect((await begin(await hub.person(), { amount: 1 })).body.error).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  test('that repeats itself, at several hubs at once, is heard once', async () => {
    const buyer = await hub.person();
    const { orderId } = await buyer.place(seller);
    const topupId = await topupOf(buyer, PRICE, orderId);
    const completed = stripe.pay(topupId);
    const succeeded = stripe.eventOf('checkout.session.async_payment_succeeded', stripe.sessionOf(topupId));
    const answers = await Promise.all(
      range(20).map((n) => send(n % 4 < 2 ? completed : succeeded, n % 2 === 0 ? hub : other)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await movementsOf(buyer)).toEqual([
      ['payment', -PRICE, 0, orderId],
      ['deposit', PRICE, PRICE, null],
    ]);
    expect((await buyer.does('order:get', { orderId })).timeline.map(({ command }) => command)).toEqual([
      'place',
      'pay',
    ]);
  });

  test('that reorders its events is understood: money that has come in is credited', async () => {
    const person = await hub.person();
    const [early, late] = [await topupOf(person, 100), await topupOf(person, 200)];
    const expired = stripe.expire(early);
    const paid = stripe.pay(early);
    await send(expired);
    expect(await statusOf(person, early)).toBe('failed');
    await send(paid);
    await send(expired);
    expect([await person.balance(), await statusOf(person, early)]).toEqual([100, 'succeeded']);
    const failed = stripe.eventOf('checkout.session.async_payment_failed', stripe.sessionOf(late));
    await send(stripe.pay(late));
    await send(failed);
    expect([await person.balance(), await statusOf(person, late)]).toEqual([300, 'succeeded']);
  });

  test('that tells another amount or currency is disputed, in the security log, and believed once it tells the right one', async () => {
    const person = await hub.person();
    for (const lie of [{ amount_total: 999_999 }, { amount_total: 1 }, { amount_total: 100, currency: 'usd' }]) {
      const topupId = await topupOf(person, 100);
      const session = { ...stripe.sessionOf(topupId), payment_status: 'paid', status: 'complete' };
      expect((await send(stripe.eventOf('checkout.session.completed', { ...session, ...lie }))).status).toBe(200);
      expect([await person.balance(), await statusOf(person, topupId)]).toEqual([0, 'disputed']);
      expect(log.lines('security', { event: 'payment-disputed', user: person.userId, id: topupId })).toHaveLength(1);
    }
    const topupId = await topupOf(person, 100);
    await send(stripe.pay(topupId));
    await send(stripe.eventOf('checkout.session.completed', { ...stripe.sessionOf(topupId), amount_total: 5 }));
    expect([await person.balance(), await statusOf(person, topupId)]).toEqual([100, 'succeeded']);
  });

  test('that gives one event to two top-ups credits one', async () => {
    const person = await hub.person();
    const [one, two] = [await topupOf(person, 100), await topupOf(person, 100)];
    stripe.pay(one);
    const eventOf = (topupId: string) =>
      stripe.eventOf(
        'checkout.session.completed',
        { ...stripe.sessionOf(topupId), payment_status: 'paid' },
        'evt_same',
      );
    const answers = await Promise.all([one, two].map((topupId) => send(eventOf(topupId))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await person.balance()).toBe(100);
  });

  test('that answers after the order has expired leaves the money as balance', async () => {
    const buyer = await hub.person();
    const { orderId } = await buyer.place(seller);
    const topupId = await topupOf(buyer, PRICE, orderId);
    await hub.database.transaction(async (tx) => {
      await tx.query('UPDATE orders SET expires_at = 1, due_at = 1 WHERE order_id = ?', [orderId]);
    });
    await until('the order has expired', async () => {
      return (await buyer.does('order:get', { orderId })).status === 'cancelled';
    });
    await send(stripe.pay(topupId));
    expect(await movementsOf(buyer)).toEqual([['deposit', PRICE, PRICE, null]]);
  });

  test('is asked about top-ups whose event has not come, by one hub at a time', async () => {
    const person = await hub.person();
    const [paid, expired, open] = [await topupOf(person, 100), await topupOf(person, 200), await topupOf(person, 400)];
    const event = stripe.pay(paid);
    stripe.expire(expired);
    await makeDue('topups');
    await until('the hub has asked', async () => (await statusOf(person, paid)) === 'succeeded');
    await until('the hub has asked', async () => (await statusOf(person, expired)) === 'failed');
    await send(event);
    expect([await person.balance(), await statusOf(person, open)]).toEqual([100, 'pending']);
    const asked = (topupId: string) =>
      stripe.calls.filter(({ path }) => path.endsWith(`/${stripe.sessionOf(topupId).id}`)).length;
    await until('the hub has asked about the open one, too', () => asked(open) > 0);
    expect([asked(paid), asked(open)]).toEqual([1, 1]);
  });

  test('is believed by its signature only, and nothing of an unsigned body is logged', async () => {
    const topupId = await topupOf(await hub.person(), 100);
    const event = stripe.pay(topupId).replace('"created":1', '"created":1,"marker":"magpie7f3"');
    const old = Math.floor(Date.now() / 1_000) - 3_600;
    const headers = [
      '',
      't=1,v1=abc',
      stripe.sign(event, 'whsec_another'),
      stripe.sign(`${event} `),
      stripe.sign(event, undefined, old),
    ];
    for (const header of headers) {
      const { status, body } = await stripe.send(hub.url, event, header);
      expect([status, body]).toMatchObject([401, { error: { code: 'UNAUTHENTICATED' } }]);
    }
    expect(log.written.join('')).not.toContain('magpie7f3');
    const unknown = event.replaceAll(topupId, 'unknown').replace(/cs_test_\d+/, 'cs_test_none');
    expect(await send(unknown)).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND', details: { what: 'topup' } } },
    });
    expect((await send(stripe.eventOf('customer.created', { id: 'cus_1' }))).status).toBe(200);
    expect((await send('{not JSON')).status).toBe(400);
    expect((await send(`${event.slice(0, -1)},"padding":"${'x'.repeat(70_000)}"}`)).status).toBe(400);
    expect((await send(event)).status).toBe(200);
    const get = await fetch(hub.url + EVENTS);
    expect(get.status).toBe(404);
  });

  test('agrees with the hub about every unit', async () => {
    stripe.mood = 'well';
    await makeDue('topups');
    await until('every payment is known', async () => {
      const pending = await hub.rows<{ reference: string }>(
        "SELECT reference FROM topups WHERE status = 'pending' AND reference IS NOT NULL",
      );
      return pending.every(({ reference }) => stripe.sessions.get(reference)?.payment_status === 'unpaid');
    });
    expect(await audit(hub, { paid: { ...stripe.books, deposited: DEPOSIT } })).toEqual([]);
  });
});
