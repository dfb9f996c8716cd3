import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderWithTimeline } from '../../src/contract/orders.js';
import { audit } from '../support/audit.js';
import { type TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import type { Failure } from '../support/refused.js';
import { raceRounds } from '../support/rounds.js';
import { codeOf, device, pick, range, stopBoth, twoHubs, type Way, waysOf } from '../support/ways.js';

const ROUNDS = raceRounds(30);
const ORDERS_A_REMOVAL = 6;
const PRICE = 1_000;
/** A removal comes so long after the first command, in turn. */
const STEPS_MS = [0, 2, 4, 8, 12];
/** Longer than a batch takes that was under way. */
const SETTLED_MS = 150;
const ENDED_WITHIN_MS = 1_000;

describe('the staff on all hubs of a database', () => {
  let here: TestHub;
  let there: TestHub;
  let owner: Person;
  let buyer: Person;
  let one: Way[];
  let other: Way[];
  let clerkIds: string[];
  /** The clerks, each on another hub. */
  let seers: Person[];

  beforeAll(async () => {
    ({ here, there } = await twoHubs({}));
    owner = await here.seller([{ stock: 1_000_000, price: PRICE }]);
    buyer = await here.buyer(ROUNDS * PRICE * (ORDERS_A_REMOVAL + 4));
    await Promise.all([owner.connect(), buyer.connect()]);
    const clerks = [await clerk(), await clerk()];
    clerkIds = clerks.map(({ userId }) => userId);
    [one = [], other = []] = await Promise.all(clerks.map((person) => waysOf(acting(person), here, there)));
    seers = clerks.map((person, index) => device(person, index === 0 ? here : there));
  });
  afterAll(() => stopBoth(here, there));

  async function clerk(): Promise<Person> {
    const person = await here.person();
    await hire(person);
    return person;
  }
  async function hire(person: Person): Promise<void> {
    const { status } = await owner.post('/staff', { userId: person.userId, rights: ['read', 'sell'] });
    expect(status).toBe(201);
  }
  function acting(person: Person): Person {
    person.actingFor = owner.userId;
    return person;
  }
  async function paid(): Promise<string> {
    const { orderId } = await buyer.place(owner);
    await buyer.does('order:pay', { orderId });
    return orderId;
  }
  const read = (orderId: string): Promise<OrderWithTimeline> => owner.does('order:get', { orderId });

  test('two clerks: one claims, the other ships', async () => {
    const outcomes = new Set<string>();
    for (const round of range(ROUNDS)) {
      const orderId = await paid();
      const claim = () => pick(one, round)('order:claim', { orderId, seconds: 60 });
      const ship = () => pick(other, round >> 1)('order:ship', { orderId });
      const [claimed, shipped] =
        round % 2 === 0
          ? await Promise.all([claim(), ship()])
          : await Promise.all([ship(), claim()]).then(([second, first]) => [first, second] as const);
      const order = await read(orderId);
      expect(codeOf(claimed)).toBe('OK');
      // Either the claim was first, and kept the other from shipping, or it found the order shipped.
      const seenAs = claimed.ok ? claimed.data.status : '';
      expect([codeOf(shipped), order.status]).toEqual(seenAs === 'paid' ? ['CLAIMED', 'paid'] : ['OK', 'shipped']);
      expect(order.timeline.filter(({ command }) => command === 'ship')).toHaveLength(Number(shipped.ok));
      expect(order.claim?.by).toBe(clerkIds[0]);
      outcomes.add(seenAs);
    }
    // Each was first at times: otherwise this was no race.
    expect([...outcomes].sort()).toEqual(['paid', 'shipped']);
  });

  test('two clerks claim one order', async () => {
    for (const round of range(ROUNDS)) {
      const orderId = await paid();
      const answers = await Promise.all(
        [one, other].map((ways, index) => pick(ways, round + index)('order:claim', { orderId, seconds: 60 })),
      );
      expect(answers.map(codeOf).sort()).toEqual(['CLAIMED', 'OK']);
      const winner = answers.findIndex(({ ok }) => ok);
      expect((await read(orderId)).claim?.by).toBe(clerkIds[winner]);
    }
  });

  test('two clerks see one order: the first counts', async () => {
    for (const round of range(ROUNDS)) {
      const orderId = await paid();
      const ordered = round % 2 === 0 ? seers : seers.toReversed();
      const answers = await Promise.all(ordered.map((person) => person.send('order:seen', { orderIds: [orderId] })));
      const order = await read(orderId);
      expect(order.timeline.filter(({ command }) => command === 'seen')).toHaveLength(1);
      expect(order.version).toBe(3);
      expect(answers.every(({ ok }) => ok)).toBe(true);
    }
  });

  test('a member is removed while its commands are on their way', async () => {
    const results = { done: 0, refused: 0 };
    for (const round of range(ROUNDS)) {
      const orderIds = await Promise.all(range(ORDERS_A_REMOVAL).map(paid));
      const person = acting(await clerk());
      const devices = [person, acting(device(person, there))];
      const shipping = orderIds.map((orderId, index) =>
        pick(devices, index).post<Failure>(`/orders/${orderId}/ship`, {}),
      );
      await sleep(pick(STEPS_MS, round));
      const { status } = await owner.request('DELETE', `/staff/${person.userId}`, undefined, {});
      expect(status).toBe(204);
      const afterRemoval = await Promise.all(orderIds.map(read));
      const answers = await Promise.all(shipping);
      await sleep(SETTLED_MS);
      const settled = await Promise.all(orderIds.map(read));
      // Nothing takes effect once the removal is answered.
      expect(settled.map(({ version }) => version)).toEqual(afterRemoval.map(({ version }) => version));
      for (const [index, answer] of answers.entries()) {
        expect([200, 403]).toContain(answer.status);
        if (answer.status === 403) expect(answer.body.error.code).toBe('FORBIDDEN');
        expect(settled[index]?.status).toBe(answer.status === 200 ? 'shipped' : 'paid');
        results[answer.status === 200 ? 'done' : 'refused']++;
      }
      expect((await person.post<Failure>(`/orders/${orderIds[0]}/track`, { carrier: 'SF' })).status).toBe(403);
    }
    // Both happened: otherwise this was no race.
    expect([results.done > 0, results.refused > 0]).toEqual([true, true]);
  });

  test('a removed member’s sockets end within a second on every hub, with the others untouched', async () => {
    const person = await clerk();
    const itself = await device(person, there).connect();
    const sockets = [await acting(device(person, here)).connect(), await acting(device(person, there)).connect()];
    const begun = performance.now();
    await owner.request('DELETE', `/staff/${person.userId}`, undefined, {});
    await until('both have ended', () => sockets.every(({ endings }) => endings.length > 0));
    expect(performance.now() - begun).toBeLessThan(ENDED_WITHIN_MS);
    expect(sockets.map(({ endings }) => endings)).toEqual([['staff'], ['staff']]);
    expect([itself.endings, itself.socket?.connected]).toEqual([[], true]);
    await expect(acting(device(person, there)).connect()).rejects.toMatchObject({ message: 'FORBIDDEN' });
  });

  test('a member whose rights change is disconnected, and comes back with the new ones', async () => {
    const person = acting(device(await clerk(), there));
    await person.connect();
    await owner.post('/staff', { userId: person.userId, rights: ['read'] });
    await until('it has ended', () => person.endings.length > 0);
    await person.connect();
    const orderId = await paid();
    expect(await person.isRefused('order:ship', { orderId })).toMatchObject({ details: { right: 'sell' } });
  });

  test('passes the audit', async () => {
    expect(await audit(here)).toEqual([]);
  });
});
