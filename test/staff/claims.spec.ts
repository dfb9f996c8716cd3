import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { audit } from '../support/audit.js';
import { type TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { device, stopBoth, twoHubs } from '../support/ways.js';

const NO_ORDER = '01900000-0000-7000-8000-000000000000';

describe('people of one shop', () => {
  let here: TestHub;
  let there: TestHub;
  let owner: Person;
  let buyer: Person;
  let one: Person;
  let other: Person;

  beforeAll(async () => {
    ({ here, there } = await twoHubs({}));
    owner = await here.seller([{ stock: 1_000 }]);
    buyer = await here.buyer(1_000_000);
    [one, other] = [await clerk(), device(await clerk(), there)];
    other.actingFor = owner.userId;
    for (const person of [owner, buyer, one, other]) await person.connect();
  });
  afterAll(() => stopBoth(here, there));

  async function clerk(): Promise<Person> {
    const person = await here.person();
    await owner.post('/staff', { userId: person.userId, rights: ['read', 'sell'] });
    person.actingFor = owner.userId;
    return person;
  }
  async function paid(): Promise<string> {
    const { orderId } = await buyer.place(owner);
    await buyer.does('order:pay', { orderId });
    return orderId;
  }
  const heard = (person: Person, orderId: string) => person.events.filter((event) => event.orderId === orderId);

  describe('see an order', () => {
    test('first, which counts and is told to both parties', async () => {
      const orderId = await paid();
      const answer = await one.send('order:seen', { orderIds: [orderId], key: 'seen-1' });
      expect(answer).toMatchObject({ ok: true, seq: expect.any(Number) });
      const [seen] = answer.ok ? answer.data.orders : [];
      expect(seen).toMatchObject({ orderId, status: 'paid', version: 3, seenAt: expect.any(String), claim: null });
      expect(seen?.allowed).toEqual(['ship', 'cancel', 'accept', 'refund']);
      await until('both parties have heard', () =>
        [buyer, owner, other].every((person) => heard(person, orderId).some(({ command }) => command === 'seen')),
      );
      for (const person of [buyer, owner, one, other]) {
        expect(heard(person, orderId).at(-1)).toMatchObject({
          ...{ command: 'seen', status: 'paid', previous: 'paid', version: 3, by: one.userId, at: seen?.seenAt },
        });
      }
      const later = await other.send('order:seen', { orderIds: [orderId] });
      expect(later).toEqual({ ok: true, data: { orders: [seen] } });
      expect(await buyer.does('order:get', { orderId })).toMatchObject({ seenAt: seen?.seenAt, version: 3 });
      await one.does('order:ship', { orderId });
      expect(await one.send('order:seen', { orderIds: [orderId], key: 'seen-1' })).toEqual({
        ...answer,
        replayed: true,
      });
    });

    test('by HTTP, and many at once, each once', async () => {
      const [first, second, third] = [await paid(), await paid(), await paid()];
      const { status, body, headers } = await owner.post<{ orders: Order[] }>(`/orders/${first}/seen`, {
        key: 'seen-2',
      });
      expect([status, body.orders.map(({ orderId }) => orderId)]).toEqual([200, [first]]);
      expect(Number(headers.get('event-seq'))).toBeGreaterThan(0);
      const { orders } = await one.does('order:seen', { orderIds: [third, first, second, third] });
      expect(orders.map(({ orderId, version }) => [orderId, version])).toEqual([
        [third, 3],
        [first, 3],
        [second, 3],
      ]);
      expect(orders[1]?.seenAt).toBe(body.orders[0]?.seenAt);
      const again = await owner.send('order:seen', { orderIds: [first], key: 'seen-2' });
      expect(again).toEqual({ ok: true, data: body, seq: Number(headers.get('event-seq')), replayed: true });
    });

    test('all of them or none', async () => {
      const orderId = await paid();
      const strange = (await buyer.place(await here.seller())).orderId;
      for (const [orderIds, code] of [
        [[orderId, NO_ORDER], 'ORDER_NOT_FOUND'],
        [[orderId, 'no id'], 'ORDER_NOT_FOUND'],
        [[orderId, strange], 'FORBIDDEN'],
      ] as const) {
        expect((await one.isRefused('order:seen', { orderIds: [...orderIds] })).code).toBe(code);
      }
      expect((await buyer.isRefused('order:seen', { orderIds: [orderId] })).code).toBe('FORBIDDEN');
      expect(await owner.does('order:get', { orderId })).toMatchObject({ seenAt: null, version: 2 });
    });

    test.each([
      [{ orderIds: [] }, ['orderIds']],
      [{ orderIds: Array.from({ length: 101 }, () => NO_ORDER) }, ['orderIds']],
      [{ orderIds: 'all' }, ['orderIds']],
      [{}, ['orderIds']],
      [{ orderIds: [NO_ORDER], who: 'me' }, ['who']],
      [{ orderIds: ['x'.repeat(65)] }, ['orderIds.0']],
    ])('not with %j', async (request, paths) => {
      const answer = await one.sendRaw('order:seen', request);
      expect(answer.ok ? [] : [answer.error.code, faultPaths(answer.error)]).toEqual(['BAD_MESSAGE', paths]);
    });
  });

  describe('claim an order', () => {
    test('which keeps the others from it until it is freed, and not the owner', async () => {
      const orderId = await paid();
      const before = await owner.does('order:get', { orderId });
      const claimed = await one.send('order:claim', { orderId, seconds: 300, key: 'claim-1' });
      const claim = claimed.ok ? claimed.data.claim : null;
      expect(claim).toEqual({ by: one.userId, until: expect.any(String) });
      expect(Date.parse(claim?.until ?? '') - here.now()).toBeGreaterThan(290_000);
      expect(claimed).toEqual({ ok: true, data: { ...withoutWords(before), claim } });
      await until('both hubs have told it', () =>
        [owner, one, other].every(({ claims }) => claims.some((push) => push.orderId === orderId)),
      );
      for (const { claims } of [owner, one, other]) expect(claims.at(-1)).toEqual({ orderId, ...claim });
      expect(buyer.claims).toEqual([]);
      for (const [name, request] of [
        ['order:ship', { orderId }],
        ['order:accept', { orderId }],
        ['order:cancel', { orderId }],
        ['order:refund', { orderId, amount: 1 }],
        ['order:claim', { orderId, seconds: 10 }],
        ['order:claim', { orderId, seconds: 0 }],
      ] as const) {
        const answer = await other.sendRaw(name, request);
        expect(answer.ok || [answer.error.code, answer.error.details]).toEqual(['CLAIMED', claim]);
      }
      const overHttp = await other.post<Failure>(`/orders/${orderId}/ship`, {});
      expect([overHttp.status, overHttp.body.error.code]).toEqual([409, 'CLAIMED']);
      // It is no change of the order, and none of the buyer's business.
      expect(await owner.does('order:get', { orderId })).toEqual({ ...before, claim });
      expect((await buyer.does('order:get', { orderId })).claim).toBeNull();
      expect((await owner.does('order:list', { role: 'seller', limit: 1 })).items[0]?.claim).toEqual(claim);
      await other.does('order:note', { orderId, text: 'A word.' });
      await other.does('order:seen', { orderIds: [orderId] });
      await owner.does('order:accept', { orderId });
      await one.does('order:ship', { orderId });
      expect(await one.send('order:claim', { orderId, seconds: 300, key: 'claim-1' })).toEqual({
        ...claimed,
        replayed: true,
      });
      const freed = await one.does('order:claim', { orderId, seconds: 0 });
      expect(freed.claim).toBeNull();
      await until('that is told', () => [owner, other].every(({ claims }) => claims.at(-1)?.by === null));
      expect(other.claims.at(-1)).toEqual({ orderId, by: null, until: null });
      await other.does('order:refund', { orderId, amount: 1 });
    });

    test('until its time is over', async () => {
      const orderId = await paid();
      await one.does('order:claim', { orderId, seconds: 1 });
      expect((await other.isRefused('order:ship', { orderId })).code).toBe('CLAIMED');
      await sleep(1_100);
      expect((await owner.does('order:get', { orderId })).claim).toBeNull();
      await other.does('order:ship', { orderId });
    });

    test('which the owner may take over, and its holder prolong', async () => {
      const orderId = await paid();
      const { body } = await one.post<Order>(`/orders/${orderId}/claim`, { seconds: 60 });
      const longer = await one.does('order:claim', { orderId, seconds: 900 });
      expect(Date.parse(longer.claim?.until ?? '')).toBeGreaterThan(Date.parse(body.claim?.until ?? ''));
      expect((await owner.does('order:claim', { orderId, seconds: 60 })).claim?.by).toBe(owner.userId);
      expect((await one.isRefused('order:ship', { orderId })).details).toMatchObject({ by: owner.userId });
      await owner.does('order:claim', { orderId, seconds: 0 });
      expect((await other.does('order:claim', { orderId, seconds: 0 })).claim).toBeNull();
      await one.does('order:ship', { orderId });
    });

    test('but the buyer may act, and cannot claim', async () => {
      const orderId = await paid();
      await one.does('order:claim', { orderId, seconds: 60 });
      expect((await buyer.isRefused('order:claim', { orderId, seconds: 60 })).code).toBe('FORBIDDEN');
      expect((await buyer.isRefused('order:claim', { orderId: NO_ORDER, seconds: 60 })).code).toBe('ORDER_NOT_FOUND');
      expect((await buyer.does('order:cancel', { orderId })).claim).toBeNull();
    });

    test.each([
      [{ orderId: NO_ORDER, seconds: 901 }, ['seconds']],
      [{ orderId: NO_ORDER, seconds: -1 }, ['seconds']],
      [{ orderId: NO_ORDER, seconds: 1.5 }, ['seconds']],
      [{ orderId: NO_ORDER }, ['seconds']],
      [{ seconds: 1 }, ['orderId']],
    ])('not with %j', async (request, paths) => {
      const answer = await one.sendRaw('order:claim', request);
      expect(answer.ok ? [] : [answer.error.code, faultPaths(answer.error)]).toEqual(['BAD_MESSAGE', paths]);
    });
  });

  test('pass the audit', async () => {
    expect(await audit(here)).toEqual([]);
  });
});

function withoutWords<Shown extends { timeline: unknown; deliverTo: unknown; notes: unknown }>(order: Shown) {
  const { timeline: _timeline, deliverTo: _deliverTo, notes: _notes, ...rest } = order;
  return rest;
}
