import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';

describe('shipping an order', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.register('shipping-seller');
    buyer = await hub.register('shipping-buyer');
    seller.storeId = 'corner';
    await seller.post('/stores', { storeId: 'corner', name: 'The corner' });
    await seller.post('/stores/corner/books', { bookId: 'three-body', title: '三体', price: 2_300, stock: 5 });
    await buyer.deposit(10_000);
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  test('leads from placed over paid to received, with an event per step for both parties', async () => {
    const placed = await buyer.does('order:place', { storeId: 'corner', items: [{ bookId: 'three-body', count: 2 }] });
    expect(placed).toMatchObject({
      status: 'placed',
      version: 1,
      total: 4_600,
      allowed: ['pay', 'cancel'],
      paidAt: null,
    });
    expect(await seller.stock('three-body')).toBe(3);

    const { orderId } = placed;
    const paid = await buyer.does('order:pay', { orderId });
    expect(paid).toMatchObject({ status: 'paid', version: 2, allowed: ['cancel'] });
    expect([await buyer.balance(), await seller.balance()]).toEqual([5_400, 4_600]);

    const shipped = await seller.does('order:ship', { orderId, carrier: '顺丰', trackingNo: 'SF-1' });
    expect(shipped).toMatchObject({
      status: 'shipped',
      version: 3,
      carrier: '顺丰',
      trackingNo: 'SF-1',
      allowed: ['refund', 'track'],
    });

    const received = await buyer.does('order:receive', { orderId });
    expect(received).toMatchObject({ status: 'received', version: 4, allowed: [] });

    for (const person of [buyer, seller]) {
      const events = await person.hears(4);
      expect(events.map(({ seq, version, status, previous, by }) => [seq, version, status, previous, by])).toEqual([
        [1, 1, 'placed', null, 'shipping-buyer'],
        [2, 2, 'paid', 'placed', 'shipping-buyer'],
        [3, 3, 'shipped', 'paid', 'shipping-seller'],
        [4, 4, 'received', 'shipped', 'shipping-buyer'],
      ]);
    }
    const { timeline } = await seller.does('order:get', { orderId });
    expect(timeline.map(({ version, status, by }) => [version, status, by])).toEqual([
      [1, 'placed', 'shipping-buyer'],
      [2, 'paid', 'shipping-buyer'],
      [3, 'shipped', 'shipping-seller'],
      [4, 'received', 'shipping-buyer'],
    ]);
    expect(await audit(hub)).toEqual([]);
  });

  test('rejects an unpaid order with ORDER_STATE', async () => {
    const { orderId } = await buyer.does('order:place', {
      storeId: 'corner',
      items: [{ bookId: 'three-body', count: 1 }],
    });
    expect(await seller.isRefused('order:ship', { orderId })).toMatchObject({
      code: 'ORDER_STATE',
      retryable: false,
      details: { status: 'placed', allowed: ['cancel'] },
    });
  });

  test('rejects anyone but the seller with FORBIDDEN', async () => {
    const { orderId } = await buyer.does('order:place', {
      storeId: 'corner',
      items: [{ bookId: 'three-body', count: 1 }],
    });
    await buyer.does('order:pay', { orderId });
    const stranger = await hub.person();
    for (const person of [buyer, stranger]) {
      expect(await person.isRefused('order:ship', { orderId })).toMatchObject({ code: 'FORBIDDEN' });
    }
  });
});
