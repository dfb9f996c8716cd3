import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import type { TranscriptEntry } from '../../src/contract/sandbox.js';
import { openBrowser } from '../support/browser.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';

let hub: TestHub;
let browser: Browser;
let script: string;

beforeAll(async () => {
  const bundle = build({
    entryPoints: ['test/browser/pages/shop.floor.tsx'],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    // Only React's development build mounts twice under StrictMode.
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  [hub, browser] = await Promise.all([TestHub.start({ sandbox: true }), openBrowser()]);
  script = (await bundle).outputFiles[0]?.text ?? '';
});
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
});

/** A page of the hub's origin with nothing but the hooks, at the hub or at a proxy before it. */
async function open(url = hub.url): Promise<Page> {
  const page = await browser.newPage();
  await page.route('**/floor', (route) => route.fulfill({ contentType: 'text/html', body: '<body></body>' }));
  await page.goto(`${url}/floor`);
  await page.addScriptTag({ content: script });
  return page;
}

async function logIn(page: Page, { token }: Person): Promise<void> {
  await page.getByLabel('token').fill(token);
}

async function openAs(person: Person, url = hub.url): Promise<Page> {
  const page = await open(url);
  await logIn(page, person);
  await shows(page, 'live 0 0');
  return page;
}

async function shows(page: Page, connection: string): Promise<void> {
  await page.locator('.connection', { hasText: new RegExp(`^${connection}$`) }).waitFor();
}

async function transcript(person: Person): Promise<TranscriptEntry[]> {
  const { body } = await person.get<{ entries: TranscriptEntry[] }>(`/sandbox/transcript?userId=${person.userId}`);
  return body.entries;
}

async function count(person: Person, ...names: string[]): Promise<number> {
  return (await transcript(person)).filter(({ name }) => names.includes(name)).length;
}

const bought = (page: Page) => page.locator('.bought article output');

test('a page under StrictMode opens one connection and reads each list once', async () => {
  const seller = await hub.seller([{ title: 'Emma' }]);
  const page = await open();
  let sockets = 0;
  let reads = 0;
  page.on('websocket', () => sockets++);
  page.on('request', (request) => {
    if (request.url().includes('/books')) reads++;
  });
  await logIn(page, seller);
  await shows(page, 'live 0 0');
  await page.getByRole('button', { name: 'Emma' }).waitFor();
  await until('both lists are read', async () => (await count(seller, 'order:list')) >= 2);
  expect({ sockets, reads, lists: await count(seller, 'order:list') }).toEqual({ sockets: 1, reads: 1, lists: 2 });
  await page.close();
});

test('an order goes from one page to the other, and each change is shown once', async () => {
  const seller = await hub.seller([{ title: 'Persuasion' }]);
  const buyer = await hub.buyer();
  const [counter, page] = await Promise.all([openAs(seller), openAs(buyer)]);
  await page.getByLabel('search').fill('Persuasion');
  await page.getByRole('button', { name: 'Persuasion' }).click();
  await bought(page)
    .getByText(/^placed$/)
    .waitFor();
  await page.getByRole('button', { name: 'pay' }).click();
  await counter.getByRole('button', { name: 'ship' }).click();
  await bought(page)
    .getByText(/^placed paid shipped$/)
    .waitFor();
  await until('the paid order has left the list', async () => (await counter.locator('.sold button').count()) === 0);
  expect(await bought(page).count()).toBe(1);
  expect((await transcript(buyer)).filter(({ name }) => name === 'order:status')).toHaveLength(3);
  await page.getByRole('button', { name: 'pay' }).click();
  await page.locator('.bought > output', { hasText: 'ORDER_STATE' }).waitFor();
  await Promise.all([page.close(), counter.close()]);
});

test('a command repeated while the line is cut takes effect once, and what was missed arrives', async () => {
  const seller = await hub.seller([{ title: 'Middlemarch' }]);
  const buyer = await hub.buyer();
  const proxy = await TcpProxy.before(hub.url);
  await proxy.open();
  const page = await openAs(buyer, proxy.url);
  await page.getByLabel('search').fill('Middlemarch');
  const order = page.getByRole('button', { name: 'Middlemarch' });
  await order.waitFor();
  await proxy.close();
  await shows(page, 'offline 0 0');
  await order.click();
  await order.click();
  await shows(page, 'offline 0 1');
  const elsewhere = await buyer.place(seller);
  await proxy.open();
  await shows(page, 'live [12] 0');
  await bought(page).nth(1).getByText('placed').waitFor();
  expect(await count(buyer, 'order:place')).toBe(2);
  expect(elsewhere.status).toBe('placed');
  await page.locator('.connection').click();
  await shows(page, 'live 0 0');
  await page.close();
  await proxy.close();
});

test('books come page by page', async () => {
  await hub.seller(['One', 'Two', 'Three'].map((title) => ({ title: `Volume ${title}` })));
  const page = await openAs(await hub.buyer());
  await page.getByLabel('search').fill('Volume');
  const books = page.locator('.shelf button', { hasText: 'Volume' });
  await books.nth(1).waitFor();
  expect(await books.count()).toBe(2);
  await page.getByRole('button', { name: 'more' }).click();
  await books.nth(2).waitFor();
  await page.close();
});

test('another user sees nothing of the one before, whose connection is closed', async () => {
  const seller = await hub.seller([{ title: 'Villette' }]);
  const [first, second] = [await hub.buyer(), await hub.buyer()];
  await first.place(seller);
  const sockets = async () =>
    Number(/^order_hub_sockets (\d+)/m.exec(await (await fetch(`${hub.url}/metrics`)).text())?.[1]);
  const before = await sockets();
  const page = await openAs(first);
  await bought(page).getByText('placed').waitFor();
  await logIn(page, second);
  await until('the second user’s lists are read', async () => (await count(second, 'order:list')) === 2);
  await page.locator('.bought[aria-busy=false]').waitFor({ state: 'attached' });
  expect(await bought(page).count()).toBe(0);
  await until('only the second user’s page is connected', async () => (await sockets()) === before + 1);
  await page.getByLabel('token').fill('');
  await until('no page is connected', async () => (await sockets()) === before);
  await page.close();
});

test('a session that ends elsewhere is shown', async () => {
  const buyer = await hub.register();
  const page = await openAs(buyer);
  await buyer.post('/auth/logout', {});
  await shows(page, 'offline 0 0 logout');
  await page.close();
});
