import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { createTestDatabase } from '../support/test.database.js';
import { tablesWith } from '../support/text.search.js';
import { asAnswer } from '../support/ways.js';

/** Words that stand nowhere else. */
const marker = { street: 'Qzw-street-81', phone: '+00-qzw-phone-82', first: 'qzw-first-83', note: 'qzw-note-84' };
const moved = { street: 'Qzw-moved-85', phone: '+00-qzw-moved-86' };
const ANY = /qzw/i;

describe('what people write into an order', () => {
  const log = new LogBook();
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  const answers: unknown[] = [];

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'trace' }, await createTestDatabase(), log);
    seller = await hub.seller([{ stock: 100 }]);
    buyer = await hub.buyer();
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  /** A whole life of an order, with every command sent twice under its key. */
  async function live(): Promise<string> {
    const twice = async (by: Person, name: string, request: object) => {
      const keyed = { ...request, key: hub.name('key') };
      answers.push(await by.sendRaw(name, keyed));
      const again = await by.sendRaw(name, keyed);
      expect(again).toEqual({ ...(answers.at(-1) as object), replayed: true });
      const { orderId, ...fields } = keyed as { orderId?: string };
      const path = orderId ? `/orders/${orderId}/${name.slice('order:'.length)}` : '/orders';
      answers.push(asAnswer(await by.post(path, fields)));
      return (again as { data: { orderId: string } }).data.orderId;
    };
    const address = ({ street, phone }: typeof moved) => ({ name: 'Lin', lines: [street], phone, country: 'CN' });
    const items = [{ bookId: 'book-1', count: 1 }];
    const words = { deliverTo: address(marker), note: marker.first };
    const orderId = await twice(buyer, 'order:place', { storeId: seller.storeId, items, ...words });
    await twice(buyer, 'order:note', { orderId, text: marker.note });
    await twice(buyer, 'order:pay', { orderId });
    await twice(seller, 'order:readdress', { orderId, deliverTo: address(moved) });
    await twice(seller, 'order:ship', { orderId });
    await twice(buyer, 'order:receive', { orderId });
    await twice(seller, 'order:note', { orderId, text: `${marker.note} too` });
    // Refusals, too, carry none of it.
    answers.push(await buyer.sendRaw('order:readdress', { orderId, deliverTo: address(moved) }));
    answers.push(await buyer.sendRaw('order:note', { orderId: 'none', text: marker.note }));
    answers.push(await buyer.sendRaw('order:note', { orderId, text: `${marker.note}\u0000` }));
    const wrong = { ...address(marker), country: marker.street };
    answers.push(await buyer.sendRaw('order:place', { storeId: seller.storeId, items, deliverTo: wrong }));
    return orderId;
  }

  test('stands in one table each, and in no event, kept answer, answer, log line or metric', async () => {
    const orderId = await live();
    for (const text of [marker.street, marker.phone]) expect(await tablesWith(hub, text)).toEqual([]);
    for (const text of Object.values(moved)) expect(await tablesWith(hub, text)).toEqual(['order_addresses']);
    for (const text of [marker.first, marker.note]) expect(await tablesWith(hub, text)).toEqual(['order_notes']);
    await until('both rooms have heard all', () => [buyer, seller].every(({ events }) => events.length === 7));
    for (const { events, ready, stockAlerts } of [buyer, seller]) {
      expect(JSON.stringify([events, ready, stockAlerts])).not.toMatch(ANY);
    }
    expect(JSON.stringify(answers)).not.toMatch(ANY);
    const metrics = await fetch(`${hub.url}/metrics`);
    expect(await metrics.text()).not.toMatch(ANY);
    expect(log.written.length).toBeGreaterThan(0);
    expect(log.written.join('')).not.toMatch(ANY);
    const { deliverTo, notes } = await buyer.does('order:get', { orderId });
    expect(deliverTo?.lines).toEqual([moved.street]);
    expect(notes.map(({ text }) => text)).toEqual([marker.first, marker.note, `${marker.note} too`]);
  });

  test('is in no log line when the database fails to write it', async () => {
    const { writer } = hub.database;
    await writer.query('ALTER TABLE order_notes RENAME TO mislaid_notes');
    try {
      const { orderId } = await buyer.place(seller);
      const refused = await buyer.sendRaw('order:note', { orderId, text: marker.note });
      expect(refused).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
      expect(JSON.stringify(refused)).not.toMatch(ANY);
      await buyer.does('order:cancel', { orderId });
    } finally {
      await writer.query('ALTER TABLE mislaid_notes RENAME TO order_notes');
    }
    expect(log.lines('fault').length).toBeGreaterThan(0);
    expect(log.written.join('')).not.toMatch(ANY);
  });

  test('stands nowhere once the buyer has erased it, and reads as null', async () => {
    const { items } = await buyer.does('order:list', { role: 'buyer', limit: 100 });
    expect(await buyer.post('/me/erase', { password: PASSWORD })).toMatchObject({ status: 204 });
    expect(await hub.rows('SELECT * FROM order_addresses')).toEqual([]);
    for (const text of ['Qzw', 'qzw', 'QZW']) expect(await tablesWith(hub, text)).toEqual([]);
    const noted = items.find(({ deliverTo }) => deliverTo !== null);
    for (const party of [buyer, seller]) {
      const order = await party.does('order:get', { orderId: noted?.orderId ?? '' });
      expect(order).toMatchObject({ total: 1_000, status: 'received', deliverTo: null });
      expect(order.notes).toEqual([
        { no: 1, by: buyer.userId, text: null, at: expect.any(String) },
        { no: 2, by: buyer.userId, text: null, at: expect.any(String) },
        { no: 3, by: seller.userId, text: null, at: expect.any(String) },
      ]);
    }
    for (const party of [buyer, seller]) {
      await party.does('order:note', { orderId: noted?.orderId ?? '', text: 'later' });
    }
    const { notes } = await buyer.does('order:get', { orderId: noted?.orderId ?? '' });
    expect(notes.map(({ no, text }) => [no, text])).toEqual([
      [1, null],
      [2, null],
      [3, null],
      [4, 'later'],
      [5, 'later'],
    ]);
    expect(await audit(hub, { erased: true })).toEqual([]);
    expect(log.written.join('')).not.toMatch(ANY);
  });
});
