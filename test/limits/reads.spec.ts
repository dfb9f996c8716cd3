import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Page } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import type { BookView } from '../../src/contract/stores.js';
import { PAGE_BYTES_MAX } from '../../src/platform/database/page.reader.js';
import { READ_BYTES } from '../../src/platform/limits/read.limiter.js';
import { addCopies } from '../support/copies.js';
import { freeze } from '../support/frozen.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { stranger } from '../support/refused.js';
import { codeOf, device, range } from '../support/ways.js';

const LINES = 100;
const TITLE_CHARACTERS = 500;
/** Two pages of such orders. */
const ORDERS = 60;
/** A busy server takes seconds to read what is more than the burst. */
const FLOOD_MS_MAX = 40_000;
const FLOODING_CLIENTS = 16;
const PAGES_AT_ONCE = 4;
const FROZEN_SOCKETS = 24;
const SEEN_AT_ONCE = 3;
const SEEN_IN_TURN = 5;
/** What is within the rate after that time is not refused. */
const WAIT_SECONDS_MAX = 2;
/** More than the system's buffers of a connection take. */
const PAGES_PER_SOCKET = 8;
const CUT_WITHIN_MS = 20_000;

type RefusedBody = { error: ErrorBody };

/** A buyer whose orders have as many and as long lines as they can. */
async function heavyReader(hub: TestHub, seller?: Person): Promise<Person> {
  const buyer = await hub.person();
  const { orderId } = await buyer.place(seller ?? (await hub.seller()));
  const [row = {}] = await hub.rows('SELECT * FROM orders WHERE order_id = ?', [orderId]);
  const title = 'x'.repeat(TITLE_CHARACTERS);
  const items = JSON.stringify(range(LINES).map((index) => ({ bookId: `b${index}`, title, count: 1, price: 1 })));
  // Older orders than this one: ids sort by time.
  const ids = range(ORDERS).map(
    (index) => `${orderId.slice(0, 9)}0000${orderId.slice(13, -4)}${index.toString(16).padStart(4, '0')}`,
  );
  await addCopies(
    hub,
    'orders',
    row,
    ids.map((id) => ({ order_id: id, items })),
  );
  return buyer;
}

/** A store with books as large as they can be; the word is in the summary of the last one only. */
async function heavyStore(hub: TestHub, count: number, word: string): Promise<Person> {
  const owner = await hub.seller([]);
  const text = 'x'.repeat(16_000);
  for (const index of range(count)) {
    const summary = `${'x'.repeat(19_900)} ${index === count - 1 ? word : 'straw'}`;
    const book = { bookId: `b${index}`, title: 'Long', price: 1, stock: 1, summary, details: { text } };
    expect((await owner.post(`/stores/${owner.storeId}/books`, book)).status).toBe(201);
  }
  return owner;
}

/** All items of a list, and how many each page had. */
async function readAll<Item>(read: (after?: string) => Promise<Page<Item>>) {
  const items: Item[] = [];
  const sizes: number[] = [];
  let next: string | undefined;
  do {
    const page = await read(next);
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(PAGE_BYTES_MAX * 1.1);
    items.push(...page.items);
    sizes.push(page.items.length);
    next = page.next ?? undefined;
  } while (next !== undefined);
  return { items, sizes };
}

describe('reads', () => {
  let hub: TestHub;
  let reader: Person;
  let seller: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ rateLimits: true });
    reader = await heavyReader(hub);
    seller = await hub.seller([{ stock: 1_000_000 }]);
  });
  afterAll(() => hub.stop());

  const from = (next?: string): { after?: string } => (next === undefined ? {} : { after: next });
  const overSocket = (next?: string) => reader.does('order:list', { role: 'buyer', limit: 100, ...from(next) });
  const overHttp = async (next?: string) => {
    const query = new URLSearchParams(Object.entries({ role: 'buyer', limit: '100', ...from(next) }));
    return (await reader.get<Page<Order>>(`/orders?${query}`)).body;
  };

  test.each([
    ['a socket', overSocket],
    ['HTTP', overHttp],
  ])('of large orders end a page early, and lead on to the last, over %s', async (_, read) => {
    const { items, sizes } = await readAll(read);
    const ids = items.map(({ orderId }) => orderId);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    expect(ids).toHaveLength(ORDERS + 1);
    expect(sizes.length).toBeGreaterThan(1);
    expect(items.filter(({ items: lines }) => lines.length === LINES)).toHaveLength(ORDERS);
  });

  test('of large books do the same, and a search finds the one that only the index leads to', async () => {
    const count = 60;
    const owner = await heavyStore(hub, count, 'needle');
    const search = (q: Record<string, string>) => async (next?: string) => {
      const query = new URLSearchParams(Object.entries({ limit: '100', ...q, ...from(next) }));
      return (await stranger(hub).get<Page<BookView>>(`/stores/${owner.storeId}/books?${query}`)).body;
    };
    const all = await readAll(search({}));
    expect(all.items.map(({ bookId }) => bookId)).toEqual(range(count).map((index) => `b${index}`));
    expect(all.sizes.length).toBeGreaterThan(1);
    const { items } = await readAll(search({ q: 'eedl' }));
    expect(items.map(({ bookId }) => bookId)).toEqual([`b${count - 1}`]);
    expect((await readAll(search({ q: 'straw' }))).items).toHaveLength(count - 1);
  });

  test('of a busy panel are never refused', async () => {
    const buyer = await hub.person();
    await Promise.all(range(100).map(() => buyer.place(seller)));
    // As many as 5,000 orders make.
    for (const _ of range(50)) {
      const { items } = await readAll((next) => buyer.does('order:list', { role: 'buyer', limit: 100, ...from(next) }));
      expect(items).toHaveLength(100);
    }
  });

  test('beyond the rate are refused, and those of others are not', async () => {
    const other = await hub.person();
    const statuses = new Map<number, number>();
    let bytes = 0;
    let refusal: ErrorBody | undefined;
    const startedAt = performance.now();
    const isOver = () => refusal !== undefined || performance.now() - startedAt > FLOOD_MS_MAX;
    const flood = range(FLOODING_CLIENTS).map(async () => {
      while (!isOver()) {
        const { status, headers, body } = await reader.get<Page<Order> & RefusedBody>('/orders?role=buyer&limit=100');
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 200) bytes += JSON.stringify(body).length;
        if (status === 429) {
          refusal = body.error;
          expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
          await sleep(50);
        }
      }
    });
    while (!isOver()) {
      await other.place(seller);
      expect((await other.does('order:list', { role: 'buyer' })).items.length).toBeGreaterThan(0);
    }
    await Promise.all(flood);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(bytes).toBeLessThan(READ_BYTES.burst + READ_BYTES.perSecond * seconds + PAGES_AT_ONCE * PAGE_BYTES_MAX);
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    const { retryAfterMs } = (refusal as { details: { retryAfterMs: number } }).details;
    await sleep(retryAfterMs);
    expect((await overHttp()).items.length).toBeGreaterThan(0);
    const samples = await (await fetch(`${hub.url}/metrics`)).text();
    expect(samples).toMatch(/order_hub_refusals_total\{limit="reads"\} [1-9]/);
  });
});

describe('order:seen', () => {
  let hub: TestHub;
  let seller: Person;
  beforeAll(async () => {
    hub = await TestHub.start({ rateLimits: true });
    seller = await hub.seller();
  });
  afterAll(() => hub.stop());

  test('of large orders counts as reading them does', async () => {
    await heavyReader(hub, seller);
    const rows = await hub.rows<{ orderId: string }>('SELECT order_id AS orderId FROM orders');
    const orderIds = rows.map(({ orderId }) => orderId);
    const startedAt = performance.now();
    const answers = await Promise.all(
      range(SEEN_AT_ONCE).map(async () => {
        const each = await device(seller).connect();
        let bytes = 0;
        for (const _ of range(SEEN_IN_TURN)) {
          const answer = await each.send('order:seen', { orderIds });
          if (answer.ok) bytes += Buffer.byteLength(JSON.stringify(answer));
          else expect(answer.error.code).toBe('RATE_LIMITED');
        }
        each.disconnect();
        return bytes;
      }),
    );
    const seconds = (performance.now() - startedAt) / 1_000 + WAIT_SECONDS_MAX;
    const [bytes, largest] = [answers.reduce((sum, each) => sum + each, 0), orderIds.length * LINES * 700];
    expect(bytes).toBeGreaterThan(PAGE_BYTES_MAX);
    expect(bytes).toBeLessThan(READ_BYTES.burst + READ_BYTES.perSecond * seconds + SEEN_AT_ONCE * largest);
  });

  test('of too many at once is refused before it is known how large they are, and nothing else is', async () => {
    const other = await hub.seller();
    const { orderId } = await (await hub.person()).place(other);
    const orderIds = [orderId, ...range(99).map((index) => `${orderId.slice(0, -4)}${`${index}`.padStart(4, 'f')}`)];
    await other.connect();
    const answers = await Promise.all(range(200).map(() => other.send('order:seen', { orderIds })));
    const codes = answers.map(codeOf);
    expect(new Set(codes)).toEqual(new Set(['ORDER_NOT_FOUND', 'RATE_LIMITED']));
    expect(codes.at(-1)).toBe('RATE_LIMITED');
    await other.does('order:note', { orderId, text: 'A word.' });
    await (await hub.person()).does('order:list', { role: 'buyer' });
  });
});

test('pages that no socket of a user takes are bounded in bytes, and the fullest sockets are cut', async () => {
  const hub = await TestHub.start();
  const reader = await heavyReader(hub);
  const seller = await hub.seller();
  const { orderId } = (await reader.does('order:list', { role: 'buyer', limit: 1 })).items[0] as Order;
  const devices = await Promise.all(range(FROZEN_SOCKETS).map(() => device(reader).connect()));
  for (const each of devices) freeze(each);
  const closed = async () => {
    const samples = await (await fetch(`${hub.url}/metrics`)).text();
    return Number(/order_hub_sockets_closed_total\{cause="slow-consumer"\} (\d+)/.exec(samples)?.[1] ?? 0);
  };
  for (const each of devices) {
    for (const _ of range(PAGES_PER_SOCKET)) each.socket?.emit('order:list', { role: 'buyer', limit: 100 }, () => {});
    // Reads of a user are answered in turn: what was asked for before has been read by then.
    await reader.does('order:get', { orderId });
  }
  await until('sockets are cut', async () => (await closed()) > 0, CUT_WITHIN_MS);
  const other = await hub.person();
  await other.place(seller);
  for (const each of devices) each.disconnect();
  await hub.stop();
});
