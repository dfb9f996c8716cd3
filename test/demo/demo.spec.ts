import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, createApi } from '../../src/client/api.js';
import type { OrderStatus } from '../../src/contract/transitions.js';
import { until } from '../support/hub.js';
import { prepare } from '../support/hub.process.js';

/** Speeds the simulated users up: their minute takes two seconds. */
const PACE = '30';
const ACTIVE_WITHIN_MS = 30_000;
const BOOKS_MIN = 60;

/** `npm run demo`, accelerated. */
describe('the demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'order-hub-demo-test-'));
  let demo: ChildProcess;
  let printed = '';
  let url = '';
  let lin: Api;

  beforeAll(async () => {
    prepare();
    demo = spawn(process.execPath, [join('demo', 'demo.js'), '--pace', PACE], {
      env: { PATH: process.env.PATH, TMPDIR: folder },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    demo.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    await until('the demo prints its guide', () => printed.includes('In the first minute'), ACTIVE_WITHIN_MS);
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0] ?? '';
    lin = await logIn('lin');
  });
  afterAll(() => {
    demo.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** With the password printed next to the user's name. */
  async function logIn(userId: string): Promise<Api> {
    const password = new RegExp(`^ +${userId} +(\\S+)`, 'm').exec(printed)?.[1] ?? '';
    const { token } = await createApi({ url }).call('login', { userId, password });
    return createApi({ url, token });
  }

  async function newest(): Promise<{ orderId: string; status: OrderStatus }[]> {
    return (await lin.call('orders', { role: 'seller', limit: 100 })).items;
  }

  test('prints valid logins of a buyer with money and a seller with books', async () => {
    const ada = await logIn('ada');
    expect((await ada.call('wallet')).balance).toBeGreaterThan(0);
    const [shop] = (await lin.call('stores', { owner: 'lin' })).items;
    const books = await lin.call('storeBooks', { storeId: shop?.storeId ?? '', limit: 100 });
    expect(books.items.length).toBeGreaterThanOrEqual(BOOKS_MIN);
    for (const { title, author, price } of books.items)
      expect([title, author, price > 0]).toEqual([title, author, true]);
    for (const q of ['体', 'dark']) {
      expect((await ada.call('books', { q, field: 'title' })).items.length).toBeGreaterThan(0);
    }
  });

  test('shows orders in every status', async () => {
    const statuses: OrderStatus[] = ['placed', 'paid', 'shipped', 'received'];
    const seen = new Set<OrderStatus>();
    await until(
      'an order was seen in every status',
      async () => {
        for (const { status } of await newest()) seen.add(status);
        return statuses.every((status) => seen.has(status));
      },
      ACTIVE_WITHIN_MS,
    );
  });

  test('kills and restarts its hub on request, and new orders follow', async () => {
    const [before] = await newest();
    demo.stdin?.write('k\n');
    await until('the hub has restarted', () => printed.includes('and is back'), ACTIVE_WITHIN_MS);
    const hasNewOrder = async () => (await newest())[0]?.orderId !== before?.orderId;
    await until('a new order is placed', hasNewOrder, ACTIVE_WITHIN_MS);
  });

  test('exits cleanly on SIGINT and removes its files', async () => {
    const ended = once(demo, 'exit');
    demo.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(readdirSync(folder)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  });
});
