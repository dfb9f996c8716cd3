import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { TopupPage } from '../../src/contract/payments.js';
import { audit } from '../support/audit.js';
import { DatabaseReader } from '../support/database.reader.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { movementsOf } from '../support/ledger.js';
import { Person } from '../support/person.js';
import type { Failure } from '../support/refused.js';
import { StripeServer } from '../support/stripe.server.js';
import { createTestDatabase } from '../support/test.database.js';

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';
const BALANCE = 1_000;
/** Three starts of a hub, and the lease of a dead one. */
const KILLED_WITHIN_MS = 300_000;

interface PayoutRow {
  payoutId: string;
  status: string;
}

const payoutsOf = 'SELECT payout_id AS payoutId, status FROM payouts WHERE user_id = ?';

describe('a withdrawal through a provider', () => {
  let stripe: StripeServer;
  let hub: TestHub;
  let operator: Person;
  let deposited = 0;

  beforeAll(async () => {
    stripe = await StripeServer.start();
    hub = await TestHub.start({ funds: 'provider', operatorKey: OPERATOR_KEY, ...stripe.config });
    operator = new Person(hub, 'operator', OPERATOR_KEY);
  });
  afterEach(() => {
    stripe.mood = 'well';
  });
  afterAll(async () => {
    await hub.stop();
    await stripe.stop();
  });

  const rich = async () => {
    const person = await hub.person();
    await operator.post('/wallet/deposits', { userId: person.userId, amount: BALANCE });
    deposited += BALANCE;
    return person;
  };
  const withdraw = (person: Person, amount: number, key?: string) =>
    person.post<{ balance: number }>('/wallet/withdrawals', { amount, ...(key === undefined ? {} : { key }) });
  const statusOf = async ({ userId }: Person) => (await hub.rows<PayoutRow>(payoutsOf, [userId]))[0]?.status;
  const becomes = (person: Person, status: string) =>
    until(`the payout is ${status}`, async () => (await statusOf(person)) === status);
  const paidOut = (payoutId: string | undefined) =>
    [...stripe.payouts.values()].filter(({ metadata }) => metadata.payoutId === payoutId);

  test('debits at once and is paid out once, by its id as the idempotency key', async () => {
    const person = await rich();
    expect((await withdraw(person, 400, 'one')).body).toEqual({ balance: 600 });
    expect((await withdraw(person, 400, 'one')).body).toEqual({ balance: 600 });
    await becomes(person, 'paid');
    const [payout, ...others] = await hub.rows<PayoutRow>(payoutsOf, [person.userId]);
    expect(others).toEqual([]);
    expect(paidOut(payout?.payoutId)).toEqual([expect.objectContaining({ amount: 400, currency: 'cny' })]);
    expect(stripe.calls.filter(({ path }) => path === 'POST /v1/payouts').at(-1)?.key).toBe(payout?.payoutId);
    expect((await withdraw(person, 601)).status).toBe(402);
  });

  test('keeps its user from leaving until the provider has paid it out', async () => {
    const person = await rich();
    const leave = () => person.post<Failure>('/auth/unregister', { password: PASSWORD });
    stripe.mood = 'down';
    await withdraw(person, BALANCE);
    const { status, body } = await leave();
    expect([status, body.error.code, body.error.details]).toEqual([409, 'ORDER_STATE', { open: 0, balance: 0 }]);
    stripe.mood = 'well';
    await becomes(person, 'paid');
    expect((await leave()).status).toBe(204);
  });

  test('is asked for again until the provider answers, and paid out once', async () => {
    const person = await rich();
    stripe.mood = 'down';
    expect((await withdraw(person, 300)).body).toEqual({ balance: 700 });
    const [payout] = await hub.rows<PayoutRow>(payoutsOf, [person.userId]);
    const asked = () => stripe.calls.filter(({ key }) => key === payout?.payoutId).length;
    await until('the provider was asked twice', () => asked() >= 2);
    stripe.mood = 'mute-after';
    await until('the provider has paid without an answer', () => paidOut(payout?.payoutId).length > 0);
    expect(await statusOf(person)).toBe('pending');
    stripe.mood = 'well';
    await becomes(person, 'paid');
    expect(paidOut(payout?.payoutId)).toHaveLength(1);
    expect(await person.balance()).toBe(700);
  });

  test('that the provider refuses comes back', async () => {
    const person = await rich();
    stripe.mood = 'refusing';
    await withdraw(person, 250);
    await becomes(person, 'returned');
    expect(await movementsOf(person)).toEqual([
      ['returned', 250, 1_000, null],
      ['withdrawal', -250, 750, null],
      ['deposit', 1_000, 1_000, null],
    ]);
  });

  test('that the bank sends back later comes back once', async () => {
    const person = await rich();
    await withdraw(person, 250);
    await becomes(person, 'paid');
    const [row] = await hub.rows<PayoutRow>(payoutsOf, [person.userId]);
    const [payout] = paidOut(row?.payoutId);
    Object.assign(payout ?? {}, { status: 'failed' });
    const events = ['payout.failed', 'payout.canceled'].map((type) => stripe.eventOf(type, payout ?? {}));
    for (const event of [...events, ...events]) expect((await stripe.send(hub.url, event)).status).toBe(200);
    expect([await person.balance(), await statusOf(person)]).toEqual([1_000, 'returned']);
    const unknown = stripe.eventOf('payout.failed', { ...payout, metadata: { payoutId: 'unknown' } });
    expect((await stripe.send(hub.url, unknown)).status).toBe(404);
  });

  test('that was asked for long ago is looked for before it is asked for again', async () => {
    const person = await rich();
    stripe.mood = 'mute-after';
    await withdraw(person, 100);
    const [row] = await hub.rows<PayoutRow>(payoutsOf, [person.userId]);
    await until('the provider has paid without an answer', () => paidOut(row?.payoutId).length > 0);
    stripe.forgetKeys();
    stripe.mood = 'well';
    await hub.database.transaction(async (tx) => {
      const longAgo = Date.now() - 80_000_000;
      await tx.query('UPDATE payouts SET created_at = ?, due_at = 1 WHERE user_id = ?', [longAgo, person.userId]);
      await tx.query("UPDATE wallet_entries SET at = ? WHERE user_id = ? AND kind = 'withdrawal'", [
        longAgo,
        person.userId,
      ]);
    });
    await becomes(person, 'paid');
    expect(paidOut(row?.payoutId)).toHaveLength(1);
  });

  test('leaves every unit accounted for', async () => {
    expect(await audit(hub, { paid: { ...stripe.books, deposited } })).toEqual([]);
  });
});

describe('a hub that is killed', () => {
  test(
    'between the provider’s deed and its answer does nothing twice, and loses nothing',
    async () => {
      const [stripe, database] = [await StripeServer.start(), await createTestDatabase()];
      const variables = { OPERATOR_KEY, ...stripe.variables };
      let hub = await HubProcess.start(database, variables);
      const { userId, token } = await hub.register('lin');
      await hub.person('', OPERATOR_KEY).post('/wallet/deposits', { userId, amount: BALANCE });
      stripe.mood = 'mute-after';
      const lin = hub.person(userId, token);
      const request = { amount: 500, key: 'top-up' };
      void lin.post('/wallet/topups', request).catch(() => {});
      await lin.post('/wallet/withdrawals', { amount: 300, key: 'withdrawal' });
      await until('the provider has done both', () => stripe.sessions.size === 1 && stripe.payouts.size === 1);
      await hub.kill();
      stripe.mood = 'well';

      hub = await HubProcess.start(database, variables);
      const again = hub.person(userId, token);
      expect((await again.post('/wallet/withdrawals', { amount: 300, key: 'withdrawal' })).body).toEqual({
        balance: 700,
      });
      const { status, body } = await again.post<TopupPage>('/wallet/topups', request);
      expect([status, body.next.url]).toEqual([201, stripe.sessionOf(body.topupId).url]);
      const reader = new DatabaseReader(database);
      await until('the payout is paid', async () => {
        return (await reader.rows<PayoutRow>(payoutsOf, [userId]))[0]?.status === 'paid';
      });
      expect([stripe.sessions.size, stripe.payouts.size]).toEqual([1, 1]);

      const event = stripe.pay(body.topupId);
      void stripe.send(hub.url, event).catch(() => {});
      await hub.kill();
      hub = await HubProcess.start(database, variables);
      expect((await stripe.send(hub.url, event)).status).toBe(200);
      expect(await hub.person(userId, token).balance()).toBe(1_200);
      expect(await audit(reader, { paid: { ...stripe.books, deposited: BALANCE } })).toEqual([]);
      expect(await hub.terminate()).toBe(0);
      await reader.close();
      await database.drop();
      await stripe.stop();
    },
    KILLED_WITHIN_MS,
  );
});
