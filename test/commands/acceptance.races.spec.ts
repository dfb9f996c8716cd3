import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandQueue } from '../../src/commands/command.queue.js';
import { NOT_ACCEPTED_REASON } from '../../src/contract/acceptance.fields.js';
import type { Order, OrderWithTimeline } from '../../src/contract/orders.js';
import { audit } from '../support/audit.js';
import { type TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { raceRounds } from '../support/rounds.js';
import { codeOf, pick, range, stopBoth, twoHubs, type Way, waysOf } from '../support/ways.js';

const ROUNDS = raceRounds(60);
const AT_ONCE = 20;
const ACCEPT_WITHIN_SECONDS = 1;
const PRICE = 1_000;
/** Rounds begin from so long before the deadline to a little after it: commands take a few milliseconds to reach their batch. */
const EARLY_MS = 150;
const STEPS = 13;
const STEP_MS = 13;

describe('accept, the buyer’s cancel and the deadline in one moment, on all hubs of a database', () => {
  let here: TestHub;
  let there: TestHub;
  let seller: Person;
  let buyer: Person;
  let sellersWays: Way[];
  let buyersWays: Way[];

  beforeAll(async () => {
    ({ here, there } = await twoHubs({ settleAt: 'received' }));
    seller = await here.seller([{ stock: 100_000, price: PRICE }]);
    buyer = await here.buyer(ROUNDS * PRICE * 4);
    await seller.patch(`/stores/${seller.storeId}`, { acceptWithinSeconds: ACCEPT_WITHIN_SECONDS });
    [sellersWays, buyersWays] = [await waysOf(seller, here, there), await waysOf(buyer, there, here)];
    await Promise.all([buyer.connect(), seller.connect()]);
  });
  afterAll(() => stopBoth(here, there));

  /** What the hub does at an order's deadline, on every hub: whoever comes first. */
  const timeOut = ({ orderId }: Order) =>
    [here, there].map((hub) => hub.hub.app.get(CommandQueue).submit('order:timeout', null, { orderId }));

  const read = (orderId: string) => buyer.does('order:get', { orderId });
  /** The order once nothing more happens to it by itself. */
  async function settled(orderId: string): Promise<OrderWithTimeline> {
    await until('the order is accepted or cancelled', async () => {
      const { status, acceptedAt } = await read(orderId);
      return status === 'cancelled' || acceptedAt !== null;
    });
    return read(orderId);
  }

  /** Takes an order to within a few milliseconds of its deadline, and gives all commands at once, each first in its turn. */
  async function race(round: number, withCancel: boolean) {
    const { orderId } = await buyer.place(seller);
    const order = await buyer.does('order:pay', { orderId });
    await sleep(Date.parse(order.acceptBy ?? '') - here.now() - EARLY_MS + (round % STEPS) * STEP_MS);
    const accept = () => pick(sellersWays, round)('order:accept', { orderId });
    const cancel = () => pick(buyersWays, round >> 1)('order:cancel', { orderId });
    const attempts = [accept, ...(withCancel ? [cancel] : []), () => Promise.all(timeOut(order))];
    const turn = round % attempts.length;
    const started = [...attempts.slice(turn), ...attempts.slice(0, turn)].map(
      (attempt) => [attempt, attempt()] as const,
    );
    const answerTo = async (attempt: () => Promise<unknown>) => started.find(([each]) => each === attempt)?.[1];
    const accepted = (await answerTo(accept)) as Awaited<ReturnType<typeof accept>>;
    const cancelled = withCancel ? ((await answerTo(cancel)) as Awaited<ReturnType<typeof cancel>>) : undefined;
    await Promise.all(started.map(([, answer]) => answer));
    return { accepted, cancelled, order: await settled(orderId) };
  }

  async function inRounds<Result>(run: (round: number) => Promise<Result>): Promise<Result[]> {
    const results: Result[] = [];
    for (let from = 0; from < ROUNDS; from += AT_ONCE) {
      const rounds = range(Math.min(AT_ONCE, ROUNDS - from)).map((index) => from + index);
      results.push(...(await Promise.all(rounds.map(run))));
    }
    return results;
  }

  test.each([
    { what: 'accept and the deadline', withCancel: false },
    { what: 'accept, cancel and the deadline', withCancel: true },
  ])('$what: one outcome, and the books are exact', async ({ withCancel }) => {
    const [stock, balance, sellers] = [await seller.stock(), await buyer.balance(), await seller.wallet()];
    const outcomes = await inRounds((round) => race(round, withCancel));
    let left = 0;
    for (const { accepted, cancelled, order } of outcomes) {
      const byHub = order.timeline.filter(({ command }) => command === 'timeout').length;
      const byBuyer = order.timeline.filter(({ command }) => command === 'cancel').length;
      const acceptances = order.timeline.filter(({ command }) => command === 'accept').length;
      expect([acceptances, byBuyer]).toEqual([Number(accepted.ok), Number(cancelled?.ok ?? false)]);
      // What was accepted the hub never cancels, what it cancels nobody else does, and nothing stays undecided.
      expect(byHub + acceptances).toBeLessThanOrEqual(1);
      expect(byHub + byBuyer).toBe(Number(order.status === 'cancelled'));
      expect(byHub + byBuyer + acceptances).toBeGreaterThanOrEqual(1);
      expect(order.cancelReason).toBe(byHub === 1 ? NOT_ACCEPTED_REASON : null);
      if (accepted.ok) expect(Date.parse(order.acceptedAt ?? '')).toBeLessThan(Date.parse(order.acceptBy ?? ''));
      for (const answer of [accepted, ...(cancelled ? [cancelled] : [])]) {
        expect(['OK', 'ORDER_STATE']).toContain(codeOf(answer));
      }
      if (order.status === 'paid') left++;
    }
    expect(await seller.stock()).toBe(stock - left);
    expect(await buyer.balance()).toBe(balance - left * PRICE);
    expect(await seller.wallet()).toEqual({ balance: sellers.balance, held: sellers.held + left * PRICE });
    // Both came first at times: otherwise this was no race. A cancel in every round may win them all.
    if (withCancel) return;
    const wins = outcomes.filter(({ accepted }) => accepted.ok).length;
    expect([wins > 0, wins < ROUNDS]).toEqual([true, true]);
  });

  test('passes the audit', async () => {
    expect(await audit(here)).toEqual([]);
  });
});
