import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, createApi } from '../../src/client/api.js';
import type { OrderStatus } from '../../src/contract/lifecycle.js';
import { until } from '../support/hub.js';
import { prepare } from '../support/hub.process.js';

/** So much faster than people, that a minute of theirs is over in two seconds. */
const PACE = '30';
const SHOWS_LIFE_WITHIN_MS = 30_000;
const BOOKS_MIN = 60;

/** `npm run demo` as a newcomer runs it, in a hurry. */
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
    await until('the demo says what to look at', () => printed.includes('In the first minute'), SHOWS_LIFE_WITHIN_MS);
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0] ?? '';
    lin = await logIn('lin');
  });
  afterAll(() => {
    demo.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** With the password that stands beside the name. */
  async function logIn(userId: string): Promise<Api> {
    const password = new RegExp(`^ +${userId} +(\\S+)`, 'm').exec(printed)?.[1] ?? '';
    const { token } = await createApi({ url }).call('login', { userId, password });
    return createApi({ url, token });
  }

  async function newest(): Promise<{ orderId: string; status: OrderStatus }[]> {
    return (await lin.call('orders', { role: 'seller', limit: 100 })).items;
  }

  test('prints logins that work, of a buyer with money and of a seller with a full shelf', async () => {
    const ada = await logIn('ada');
    expect((await ada.call('wallet')).balance).toBeGreaterThan(0);
    const [shop] = (await lin.call('stores', { owner: 'lin' })).items;
    const shelf = await lin.call('storeBooks', { storeId: shop?.storeId ?? '', limit: 100 });
    expect(shelf.items.length).toBeGreaterThanOrEqual(BOOKS_MIN);
    for (const { title, author, price } of shelf.items)
      expect([title, author, price > 0]).toEqual([title, author, true]);
    for (const q of ['体', 'dark']) {
      expect((await ada.call('books', { q, field: 'title' })).items.length).toBeGreaterThan(0);
    }
  });

  test('shows orders on every step of their way', async () => {
    const steps: OrderStatus[] = ['placed', 'paid', 'shipped', 'received'];
    const seen = new Set<OrderStatus>();
    await until(
      'an order was seen on every step',
      async () => {
        for (const { status } of await newest()) seen.add(status);
        return steps.every((step) => seen.has(step));
      },
      SHOWS_LIFE_WITHIN_MS,
    );
  });

  test('kills its hub when asked, and life goes on at the same address', async () => {
    const [before] = await newest();
    demo.stdin?.write('k\n');
    await until('the hub is back', () => printed.includes('and is back'), SHOWS_LIFE_WITHIN_MS);
    const isMore = async () => (await newest())[0]?.orderId !== before?.orderId;
    await until('more is ordered', isMore, SHOWS_LIFE_WITHIN_MS);
  });

  test('ends when it is told to, and leaves nothing behind', async () => {
    const ended = once(demo, 'exit');
    demo.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(readdirSync(folder)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  });
});
