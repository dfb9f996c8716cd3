import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';

const ORDERS = 7;

describe('order:list', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let placed: Order[];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 100 }]);
    buyer = await hub.buyer();
    placed = [];
    for (let index = 0; index < ORDERS; index++) placed.push(await buyer.place(seller));
    await buyer.does('order:pay', { orderId: id(1) });
    await buyer.does('order:pay', { orderId: id(3) });
    await buyer.does('order:cancel', { orderId: id(5) });
  });
  afterAll(() => hub.stop());

  const id = (index: number): string => placed[index]?.orderId ?? '';
  const ids = ({ items }: Page<Order>): string[] => items.map(({ orderId }) => orderId);
  const newestFirst = (...indexes: number[]): string[] => indexes.map(id).sort().reverse();
  const all = () => newestFirst(...placed.keys());

  test('lists each party’s orders, newest first, with the commands allowed to that party', async () => {
    const [ofBuyer, ofSeller] = [
      await buyer.does('order:list', { role: 'buyer' }),
      await seller.does('order:list', { role: 'seller' }),
    ];
    expect([ids(ofBuyer), ofBuyer.next]).toEqual([all(), null]);
    expect([ids(ofSeller), ofSeller.next]).toEqual([all(), null]);
    const allowed = ({ items }: Page<Order>) =>
      Object.fromEntries(items.map((order) => [order.orderId, order.allowed]));
    expect(allowed(ofBuyer)).toMatchObject({ [id(0)]: ['pay', 'cancel'], [id(1)]: ['cancel'], [id(5)]: [] });
    expect(allowed(ofSeller)).toMatchObject({
      [id(0)]: ['cancel'],
      [id(1)]: ['ship', 'cancel', 'accept', 'refund'],
      [id(5)]: [],
    });
  });

  test('is empty in the other role and for a stranger', async () => {
    const stranger = await hub.person();
    expect(await buyer.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
    expect(await stranger.does('order:list', { role: 'buyer' })).toEqual({ items: [], next: null });
    expect(await stranger.does('order:list', { role: 'seller', storeId: seller.storeId })).toEqual({
      items: [],
      next: null,
    });
  });

  test('filters by status and store', async () => {
    const list = async (filter: { status?: 'paid' | 'cancelled' | 'shipped'; storeId?: string }) =>
      ids(await seller.does('order:list', { role: 'seller', ...filter }));
    expect(await list({ status: 'paid' })).toEqual(newestFirst(1, 3));
    expect(await list({ status: 'cancelled', storeId: seller.storeId })).toEqual([id(5)]);
    expect(await list({ status: 'shipped' })).toEqual([]);
    expect(await list({ storeId: seller.storeId })).toEqual(all());
    expect(await list({ storeId: 'another-store' })).toEqual([]);
  });

  test.each([1, 2, 3, ORDERS, 100])('returns each order once over all pages of %i', async (limit) => {
    const listed: string[] = [];
    let after: string | undefined;
    do {
      const page: Page<Order> = await buyer.does('order:list', { role: 'buyer', limit, ...(after ? { after } : {}) });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      listed.push(...ids(page));
      after = page.next ?? undefined;
    } while (after);
    expect(listed).toEqual(all());
  });

  test('pages and filters alike over HTTP', async () => {
    const first = await buyer.get<Page<Order>>('/orders?role=buyer&limit=4');
    expect([first.status, ids(first.body)]).toEqual([200, all().slice(0, 4)]);
    const second = await buyer.get<Page<Order>>(`/orders?role=buyer&limit=4&after=${first.body.next}`);
    expect([ids(second.body), second.body.next]).toEqual([all().slice(4), null]);
    const paid = await seller.get<Page<Order>>(`/orders?role=seller&status=paid&storeId=${seller.storeId}`);
    expect(ids(paid.body)).toEqual(newestFirst(1, 3));
  });

  test.each([{ after: 'zzz' }, { limit: 0 }, { limit: 101 }, { limit: 1.5 }, { status: 'lost' }, { role: 'owner' }])(
    'rejects %j with BAD_MESSAGE at its path',
    async (fault) => {
      const answer = await buyer.sendRaw('order:list', { role: 'buyer', ...fault });
      expect(answer).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
      expect(JSON.stringify(answer)).toContain(`"path":"${Object.keys(fault)[0]}"`);
    },
  );
});
