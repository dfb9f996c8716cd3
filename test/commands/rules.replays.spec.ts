import { describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/commands/command.js';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { storedAnswer } from '../support/handlers.js';
import { copies, execute, market, NOW, paidMarket, place } from '../support/small.market.js';

const key = { text: 'key', messageHash: 'hash' };
const keyed = (unit: UnitOfWork, name: Command['name'], actorId: string, request: object, now = NOW) =>
  execute(unit, name, actorId, request, now, { key });
/** What the database keeps of the last keyed command's answer. */
const storedText = (unit: UnitOfWork) => unit.dirty.answers.at(-1)?.text ?? '';
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a stored answer', () => {
  test('is a short reference to a change of the order', () => {
    const unit = market();
    keyed(unit, 'order:place', 'bob', { storeId: 'shop', items: copies(1) });
    expect(JSON.parse(storedText(unit))).toEqual({ orderId: 'order', version: 1, role: 'buyer', form: 5, seq: 1 });
  });

  test('shows the order as it was when the answer was given, with what was allowed and who had claimed it', () => {
    const unit = paidMarket(2, { settleAt: 'received', shipWithinMs: 100 });
    // Too late to be shipped, and the hub has not cancelled it yet.
    const claimed = keyed(unit, 'order:claim', 'ann', { orderId: 'order', seconds: 60 }, NOW + 200);
    expect(claimed).toMatchObject({ data: { claim: { by: 'ann' }, version: 2 } });
    const text = storedText(unit);
    execute(unit, 'order:claim', 'ann', { orderId: 'order', seconds: 0 }, NOW + 300);
    execute(unit, 'order:cancel', 'ann', { orderId: 'order' }, NOW + 400);
    expect(plain(storedAnswer(unit, 'ann', text))).toEqual(plain(claimed));
    expect(JSON.parse(text)).not.toHaveProperty('seq');
    expect(plain(storedAnswer(unit, 'ann', text))).not.toHaveProperty('seq');
  });

  test('does not show a claim that came later', () => {
    const unit = paidMarket(2);
    const shipped = keyed(unit, 'order:ship', 'ann', { orderId: 'order', items: copies(1) });
    execute(unit, 'order:claim', 'ann', { orderId: 'order', seconds: 60 });
    expect(plain(storedAnswer(unit, 'ann', storedText(unit)))).toEqual(plain(shipped));
  });

  test('shows several orders with the number of the last event, if there was one', () => {
    const unit = paidMarket(1);
    execute(unit, 'order:place', 'bob', { storeId: 'shop', items: copies(1) }, NOW, { newId: 'second' });
    const orderIds = ['order', 'second'];
    const seen = keyed(unit, 'order:seen', 'ann', { orderIds });
    expect(seen).toMatchObject({ ok: true, seq: 5, data: { orders: [{ orderId: 'order' }, { orderId: 'second' }] } });
    const text = storedText(unit);
    execute(unit, 'order:ship', 'ann', { orderId: 'order' }, NOW + 1);
    expect(plain(storedAnswer(unit, 'ann', text))).toEqual(plain(seen));
    const again = execute(unit, 'order:seen', 'ann', { orderIds }, NOW + 2, { key: { ...key, text: 'another' } });
    expect(Object.keys(again)).toEqual(['ok', 'data']);
    expect(Object.keys(storedAnswer(unit, 'ann', storedText(unit)))).toEqual(['ok', 'data']);
    expect(Object.keys(JSON.parse(storedText(unit)))).toEqual(['orders']);
  });

  test('cannot be shown without the order, its change or a reader', () => {
    const unit = market();
    place(unit);
    const show = (reference: object, userId = 'bob') => storedAnswer(unit, userId, JSON.stringify(reference));
    const notLoaded = /^The order that a stored answer refers to was not loaded$/;
    expect(() => show({ orderId: 'none', version: 1 })).toThrow(notLoaded);
    expect(() => show({ orderId: 'none', version: 1, role: 'buyer' })).toThrow(notLoaded);
    expect(() => show({ orderId: 'order', version: 2, role: 'buyer' })).toThrow(notLoaded);
    expect(() => show({ orderId: 'order', version: 1 }, 'cid')).toThrow(notLoaded);
    expect(show({ orderId: 'order', version: 1, role: 'buyer' }, 'cid')).toMatchObject({ ok: true });
  });
});

describe('an answer that an earlier release has stored', () => {
  /** An order of a store that accepts orders, whose first copy is shipped. */
  function shipped() {
    const unit = market({ settleAt: 'received', shipWithinMs: 60_000 });
    unit.stores.set('shop', { ownerId: 'ann', isOpen: 1, pausedUntil: null, acceptWithinSeconds: 60 });
    place(unit, 2);
    execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    const answer = execute(unit, 'order:ship', 'ann', { orderId: 'order', items: copies(1) });
    return { unit, order: (answer as { data: Order }).data };
  }
  const without = (order: object, ...fields: string[]) =>
    Object.fromEntries(Object.entries(order).filter(([field]) => !fields.includes(field)));
  const show = (unit: UnitOfWork, reference: object, userId: string) =>
    plain((storedAnswer(unit, userId, JSON.stringify(reference)) as Answer<unknown> & { ok: true }).data);

  test('stays without what orders have gained since', () => {
    const { unit, order } = shipped();
    const allowed = order.allowed;
    expect(allowed).toEqual(expect.arrayContaining(['accept', 'refund', 'track', 'ship']));
    const items = order.items.map((item) => without(item, 'shipped', 'cancelled', 'refunded'));
    const notAccepted = without(order, 'seenAt', 'claim', 'acceptBy', 'acceptedAt', 'readyAt');
    const acceptless = { ...notAccepted, allowed: allowed.filter((name) => name !== 'accept') };
    const plainLines = {
      ...without(acceptless, 'refunded', 'parcels'),
      ...{ items, allowed: allowed.filter((name) => !['accept', 'refund', 'track'].includes(name)) },
    };
    const reference = { orderId: 'order', version: 3, role: 'seller' };
    const forms = [
      without(plainLines, 'shipBy', 'number'),
      without(plainLines, 'shipBy'),
      plainLines,
      acceptless,
      without(order, 'seenAt', 'claim'),
      order,
    ];
    for (const [form, shown] of forms.entries()) {
      expect([form, show(unit, { ...reference, form }, 'ann')]).toEqual([form, plain(shown)]);
    }
    // The first release that stored a role had orders with a number.
    expect(show(unit, reference, 'ann')).toEqual(plain(forms[1]));
    // Before, the reader was the party of the order.
    expect(show(unit, { orderId: 'order', version: 3 }, 'ann')).toEqual(plain(forms[0]));
    expect(show(unit, { orderId: 'order', version: 3 }, 'bob')).toMatchObject({ allowed: ['receive', 'cancel'] });
  });
});
