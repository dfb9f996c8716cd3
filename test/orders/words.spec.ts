import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { ListedOrder, OrderWithTimeline } from '../../src/contract/orders.js';
import type { Request } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { faultPaths } from '../support/refused.js';
import { asAnswer, range } from '../support/ways.js';

const HOME = {
  name: '林小雨',
  lines: ['南京东路 100 号', '3 单元 502'],
  city: '上海',
  postcode: '200001',
  country: 'CN',
  phone: '+86 21 5555 0100',
};
const OFFICE = { name: 'Lin', lines: ['1 Elm Street'] };
const NOTES_MAX = 200;
const READDRESSES_MAX = 200;
const DAY_MS = 86_400_000;

describe('the words of an order', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 10_000 }]);
    buyer = await hub.buyer(10 ** 9);
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  const items = [{ bookId: 'book-1', count: 1 }];
  const place = (words: Pick<Request<'order:place'>, 'deliverTo' | 'note' | 'key'> = {}) =>
    buyer.does('order:place', { storeId: seller.storeId, items, ...words });
  const read = (orderId: string, by = buyer) => by.does('order:get', { orderId });
  const moved = async (...steps: ('pay' | 'ship' | 'receive' | 'cancel')[]) => {
    const { orderId } = await place({ deliverTo: HOME, note: 'first' });
    for (const step of steps) await (step === 'ship' ? seller : buyer).does(`order:${step}`, { orderId });
    return orderId;
  };
  /** Sets the end of an order into the past. */
  const endDaysAgo = (orderId: string, days: number) => {
    const at = Date.now() - days * DAY_MS;
    const sql = 'UPDATE orders SET received_at = ? WHERE order_id = ? AND received_at IS NOT NULL';
    return hub.database.transaction((tx) => tx.query(sql, [at, orderId]));
  };

  test('are shown to both parties, and in no answer to a command', async () => {
    const placed = await place({ deliverTo: HOME, note: 'Gift-wrap it,\nplease.' });
    expect(placed).not.toHaveProperty('deliverTo');
    expect(placed).not.toHaveProperty('notes');
    const { orderId } = placed;
    const notes = [{ no: 1, by: buyer.userId, text: 'Gift-wrap it,\nplease.', at: placed.placedAt }];
    for (const party of [buyer, seller]) {
      expect(await read(orderId, party)).toMatchObject({ orderId, version: 1, deliverTo: HOME, notes });
      const overHttp = await party.get<OrderWithTimeline>(`/orders/${orderId}`);
      expect(overHttp.body).toEqual(await read(orderId, party));
    }
    for (const [party, role] of [
      [buyer, 'buyer'],
      [seller, 'seller'],
    ] as const) {
      const { items: listed } = await party.does('order:list', { role, limit: 5 });
      const inList = listed.find((order) => order.orderId === orderId);
      expect(inList?.deliverTo).toEqual(HOME);
      expect(inList).not.toHaveProperty('notes');
      const overHttp = await party.get<Page<ListedOrder>>(`/orders?role=${role}&limit=5`);
      expect(overHttp.body.items).toEqual(listed);
    }
    const stranger = await hub.person();
    expect((await stranger.isRefused('order:get', { orderId })).code).toBe('FORBIDDEN');
  });

  test('may be left out: no address is null, and no note an empty list', async () => {
    const { orderId } = await place();
    expect(await read(orderId)).toMatchObject({ deliverTo: null, notes: [] });
    const { items: listed } = await buyer.does('order:list', { role: 'buyer', limit: 1 });
    expect(listed[0]).toMatchObject({ orderId, deliverTo: null });
    expect((await read(orderId)).timeline).toEqual([expect.objectContaining({ command: 'place' })]);
  });

  test('a note is one change and one event in each room, and its first answer is repeated word for word', async () => {
    const orderId = await moved('pay');
    await Promise.all([buyer.hears(1), seller.hears(1)]);
    const request = { orderId, text: 'The bell does not ring.', key: hub.name('key') };
    const answer = await buyer.send('order:note', request);
    expect(answer).toMatchObject({ ok: true, data: { orderId, version: 3, status: 'paid' } });
    for (const party of [buyer, seller]) {
      await until('the note is heard', () =>
        party.events.some((event) => event.orderId === orderId && event.version === 3),
      );
      const event = party.events.find((each) => each.orderId === orderId && each.version === 3);
      expect(event).toMatchObject({ status: 'paid', previous: 'paid', command: 'note', by: buyer.userId });
      expect(JSON.stringify(event)).not.toContain('bell');
    }
    await seller.does('order:ship', { orderId });
    await seller.does('order:note', { orderId, text: 'On its way.' });
    expect(await buyer.send('order:note', request)).toEqual({ ...answer, replayed: true });
    const { notes, timeline, version } = await read(orderId);
    expect(version).toBe(5);
    expect(notes.map(({ no, by, text }) => [no, by, text])).toEqual([
      [1, buyer.userId, 'first'],
      [2, buyer.userId, 'The bell does not ring.'],
      [3, seller.userId, 'On its way.'],
    ]);
    expect(timeline.map(({ command, status }) => [command, status])).toEqual([
      ['place', 'placed'],
      ['pay', 'paid'],
      ['note', 'paid'],
      ['ship', 'shipped'],
      ['note', 'shipped'],
    ]);
    expect(JSON.stringify(timeline)).not.toContain('bell');
  });

  test('the same over HTTP, with the key in the header', async () => {
    const orderId = await moved();
    const key = hub.name('key');
    const note = () => buyer.post(`/orders/${orderId}/note`, { text: 'knock' }, { 'Idempotency-Key': key });
    const first = asAnswer(await note());
    expect(first).toMatchObject({ ok: true, data: { version: 2 }, seq: expect.any(Number) });
    expect(asAnswer(await note())).toEqual({ ...first, replayed: true });
    const readdress = await buyer.post(`/orders/${orderId}/readdress`, { orderId, deliverTo: OFFICE });
    expect(asAnswer(readdress)).toMatchObject({ ok: true, data: { version: 3, status: 'placed' } });
    expect(await read(orderId)).toMatchObject({ deliverTo: OFFICE, notes: [{}, { no: 2, text: 'knock' }] });
    const other = await buyer.send('order:note', { orderId, text: 'another', key });
    expect(other).toMatchObject({ ok: false, error: { code: 'KEY_REUSED' } });
  });

  test('an order is readdressed by its buyer while placed, by its seller while paid, and adds an address where none was', async () => {
    const { orderId, expiresAt } = await place();
    await buyer.does('order:readdress', { orderId, deliverTo: HOME });
    expect(await read(orderId)).toMatchObject({ deliverTo: HOME, version: 2, status: 'placed', expiresAt });
    expect((await seller.isRefused('order:readdress', { orderId, deliverTo: OFFICE })).details).toEqual({
      status: 'placed',
      allowed: ['cancel'],
    });
    await buyer.does('order:pay', { orderId });
    expect((await buyer.isRefused('order:readdress', { orderId, deliverTo: OFFICE })).details).toEqual({
      status: 'paid',
      allowed: ['cancel'],
    });
    const { allowed } = await seller.does('order:readdress', { orderId, deliverTo: OFFICE });
    expect(allowed).toEqual(['ship', 'cancel', 'accept', 'refund']);
    expect((await read(orderId)).deliverTo).toEqual(OFFICE);
    await seller.does('order:ship', { orderId });
    for (const party of [buyer, seller]) {
      expect((await party.isRefused('order:readdress', { orderId, deliverTo: HOME })).code).toBe('ORDER_STATE');
    }
    expect((await read(orderId)).deliverTo).toEqual(OFFICE);
  });

  test('keeps when the hub acts by itself', async () => {
    const due = async (orderId: string) =>
      (await hub.rows<{ due: number }>('SELECT due_at AS due FROM orders WHERE order_id = ?', [orderId]))[0]?.due;
    const orderId = await moved('pay', 'ship');
    const before = await due(orderId);
    await buyer.does('order:note', { orderId, text: 'still waiting' });
    expect(before).toEqual(expect.any(Number));
    expect(await due(orderId)).toBe(before);
  });

  test.each(['note', 'readdress'] as const)('%s is refused to a stranger whatever the status', async (command) => {
    const stranger = await hub.person();
    const words = command === 'note' ? { text: 'hello' } : { deliverTo: HOME };
    for (const orderId of [await moved(), await moved('pay', 'ship', 'receive'), await moved('cancel')]) {
      const answer = await stranger.sendRaw(`order:${command}`, { orderId, ...words });
      expect(answer).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
      expect(JSON.stringify(answer)).not.toMatch(/"status"|"allowed"/);
    }
    const unknown = await buyer.sendRaw(`order:${command}`, { orderId: 'unknown', ...words });
    expect(unknown).toMatchObject({ ok: false, error: { code: 'ORDER_NOT_FOUND' } });
  });

  test('needs the right of the party: buy of the buyer, sell of the seller', async () => {
    const orderId = await moved('pay');
    const keyOf = async (person: Person, rights: string[]) => {
      const { body } = await person.post<{ secret: string }>('/auth/keys', { name: 'till', rights });
      return new Person(hub, person.userId, body.secret);
    };
    const text = 'by a program';
    const [buyersSell, buyersBuy] = [await keyOf(buyer, ['read', 'sell']), await keyOf(buyer, ['read', 'buy'])];
    const [sellersBuy, sellersSell] = [await keyOf(seller, ['read', 'buy']), await keyOf(seller, ['read', 'sell'])];
    expect((await buyersSell.isRefused('order:note', { orderId, text })).details).toEqual({ right: 'buy' });
    expect((await sellersBuy.isRefused('order:readdress', { orderId, deliverTo: HOME })).details).toEqual({
      right: 'sell',
    });
    await buyersBuy.does('order:note', { orderId, text });
    await sellersSell.does('order:readdress', { orderId, deliverTo: OFFICE });
    for (const person of [buyersSell, buyersBuy, sellersBuy, sellersSell]) person.disconnect();
  });

  test('takes notes for 90 days after the end, and 200 an order', async () => {
    const orderId = await moved('pay', 'ship', 'receive');
    await endDaysAgo(orderId, 89);
    await seller.does('order:note', { orderId, text: 'thank you' });
    await endDaysAgo(orderId, 91);
    expect(await buyer.isRefused('order:note', { orderId, text: 'too late' })).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'received', allowed: [] },
    });
    const full = await moved();
    const notes = range(NOTES_MAX - 1).map((index) => `note ${index + 2}`);
    await Promise.all(
      notes.map((text, index) => (index % 2 ? buyer : seller).does('order:note', { orderId: full, text })),
    );
    expect((await buyer.isRefused('order:note', { orderId: full, text: 'one more' })).code).toBe('ORDER_STATE');
    const shown = (await read(full)).notes;
    expect(shown.map(({ no }) => no)).toEqual(range(NOTES_MAX).map((index) => index + 1));
    expect(new Set(shown.map(({ text }) => text))).toEqual(new Set(['first', ...notes]));
  });

  test('bounds how often an order is readdressed', async () => {
    const orderId = await moved('pay');
    const readdress = (n: number) =>
      seller.send('order:readdress', { orderId, deliverTo: { ...OFFICE, name: `${n}` } });
    const answers = await Promise.all(range(READDRESSES_MAX + 1).map(readdress));
    expect(answers.filter(({ ok }) => !ok)).toEqual([
      { ok: false, error: expect.objectContaining({ code: 'ORDER_STATE' }) },
    ]);
    expect(await hub.rows('SELECT order_id FROM order_addresses WHERE order_id = ?', [orderId])).toHaveLength(1);
  });

  const long = (characters: number) => '字'.repeat(characters);
  test.each<[string, object, string[]]>([
    ['no name', { deliverTo: { lines: ['a'] } }, ['deliverTo.name']],
    ['a name too long', { deliverTo: { ...HOME, name: long(201) } }, ['deliverTo.name']],
    ['no line', { deliverTo: { ...HOME, lines: [] } }, ['deliverTo.lines']],
    ['six lines', { deliverTo: { ...HOME, lines: range(6).map(String) } }, ['deliverTo.lines']],
    ['a line too long', { deliverTo: { ...HOME, lines: ['a', long(201)] } }, ['deliverTo.lines.1']],
    ['an empty line', { deliverTo: { ...HOME, lines: [''] } }, ['deliverTo.lines.0']],
    ['a line break in a line', { deliverTo: { ...HOME, lines: ['a\nb'] } }, ['deliverTo.lines.0']],
    ['a city too long', { deliverTo: { ...HOME, city: long(101) } }, ['deliverTo.city']],
    ['a region too long', { deliverTo: { ...HOME, region: long(101) } }, ['deliverTo.region']],
    ['a postcode too long', { deliverTo: { ...HOME, postcode: long(21) } }, ['deliverTo.postcode']],
    ['a phone too long', { deliverTo: { ...HOME, phone: long(41) } }, ['deliverTo.phone']],
    ['a country in small letters', { deliverTo: { ...HOME, country: 'cn' } }, ['deliverTo.country']],
    ['no country’s letters', { deliverTo: { ...HOME, country: 'XX' } }, ['deliverTo.country']],
    ['reserved letters that are no country', { deliverTo: { ...HOME, country: 'UK' } }, ['deliverTo.country']],
    ['a null city', { deliverTo: { ...HOME, city: null } }, ['deliverTo.city']],
    ['an unlisted field', { deliverTo: { ...HOME, street: 'x' } }, ['deliverTo.street']],
    ['a null address', { deliverTo: null }, ['deliverTo']],
    ['an empty note', { note: '' }, ['note']],
    ['a note too long', { note: long(501) }, ['note']],
    ['a tab in a note', { note: 'a\tb' }, ['note']],
  ])('BAD_MESSAGE rejects %s', async (_, words, paths) => {
    const request = { storeId: seller.storeId, items, ...words };
    const error = await buyer.isRefused('order:place', request as Request<'order:place'>);
    expect([error.code, faultPaths(error)]).toEqual(['BAD_MESSAGE', paths]);
    expect(JSON.stringify(error)).not.toMatch(/字字|南京/);
  });

  test('the longest address and note are kept to the letter', async () => {
    const deliverTo = {
      name: '😀'.repeat(200),
      lines: range(5).map(() => long(200)),
      ...{ city: long(100), region: long(100), postcode: long(20), country: 'GB', phone: long(40) },
    };
    const { orderId } = await place({ deliverTo, note: `${'😀'.repeat(498)}\r\n` });
    await buyer.does('order:note', { orderId, text: '😀'.repeat(2_000) });
    const error = await buyer.isRefused('order:note', { orderId, text: '😀'.repeat(2_001) });
    expect(faultPaths(error)).toEqual(['text']);
    expect(await read(orderId)).toMatchObject({
      deliverTo,
      notes: [{ text: `${'😀'.repeat(498)}\r\n` }, { text: '😀'.repeat(2_000) }],
    });
  });

  test('counts addresses in the bytes of a page', async () => {
    const far = await hub.seller();
    const deliverTo = { ...HOME, lines: range(5).map(() => '😀'.repeat(200)) };
    const customer = await hub.buyer(10 ** 9);
    await seller.post(`/stores/${far.storeId}/books`, {});
    await Promise.all(range(3).map(() => customer.does('order:place', { storeId: seller.storeId, items, deliverTo })));
    const { items: listed, next } = await customer.does('order:list', { role: 'buyer', limit: 2 });
    expect([listed.length, next]).toEqual([2, listed[1]?.orderId]);
    expect(listed.map((order) => order.deliverTo)).toEqual([deliverTo, deliverTo]);
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

describe('a hub whose stores need an address', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ storesNeedAddress: true });
    seller = await hub.seller();
    buyer = await hub.buyer();
    await buyer.connect();
  });
  afterAll(() => hub.stop());

  test('refuses an order without one at deliverTo, and uses up no key', async () => {
    const request = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'needs-address' };
    const error = await buyer.isRefused('order:place', request);
    expect([error.code, faultPaths(error)]).toEqual(['BAD_MESSAGE', ['deliverTo']]);
    const overHttp = await buyer.post('/orders', request);
    expect(asAnswer(overHttp)).toEqual({ ok: false, error });
    expect(await buyer.does('order:place', { ...request, deliverTo: OFFICE })).toMatchObject({ status: 'placed' });
  });

  test('says so when a socket connects', () => {
    expect(buyer.ready[0]).toMatchObject({ needsAddress: true });
  });
});
