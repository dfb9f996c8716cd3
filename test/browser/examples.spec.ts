import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createFileServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import type { Order } from '../../src/contract/orders.js';
import { hubProcessAndBrowser } from '../support/browser.js';
import { PASSWORD } from '../support/hub.js';
import type { Person } from '../support/person.js';

let vite: ViteDevServer;
const cache = mkdtempSync(join(tmpdir(), 'order-hub-vite-'));
const variables = { ALLOWED_ORIGINS: '' };
/** Any server of files. */
const files = createFileServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end(readFileSync('examples/bell.html'));
});

beforeAll(async () => {
  // From the root, where `order-hub` is found as in a project that has installed it.
  vite = await createServer({
    configFile: false,
    root: process.cwd(),
    cacheDir: cache,
    logLevel: 'error',
    // As the React template's plugin does.
    esbuild: { jsx: 'automatic' },
    server: { host: '127.0.0.1', port: 0, watch: null },
    // All at once, so that the page is not loaded again when a package is found.
    optimizeDeps: {
      noDiscovery: true,
      include: ['order-hub/react', 'react', 'react/jsx-dev-runtime', 'react-dom/client'],
    },
  });
  await vite.listen();
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
  variables.ALLOWED_ORIGINS = `${new URL(panelUrl()).origin},${new URL(bellUrl()).origin}`;
});
const fixture = hubProcessAndBrowser(variables);
afterAll(async () => {
  files.close();
  await vite?.close();
  rmSync(cache, { recursive: true, force: true });
});

function panelUrl(): string {
  return new URL('/examples/react/', vite.resolvedUrls?.local[0]).href;
}

function bellUrl(): string {
  return `http://127.0.0.1:${(files.address() as AddressInfo).port}/bell.html`;
}

/** A seller with one book, and a buyer with money. */
async function people(name: string): Promise<[Person, Person]> {
  const [seller, buyer] = [await fixture.hub.register(`${name}-seller`), await fixture.hub.register(`${name}-buyer`)];
  seller.storeId = `${name}-books`;
  await seller.post('/stores', { storeId: seller.storeId });
  const book = { bookId: 'emma', title: 'Emma', price: 1_000, stock: 10 };
  await seller.post(`/stores/${seller.storeId}/books`, book);
  await buyer.deposit(100_000);
  return [seller, buyer];
}

async function buys(buyer: Person, { storeId }: Person): Promise<string> {
  const { body } = await buyer.post<Order>('/orders', { storeId, items: [{ bookId: 'emma', count: 1 }] });
  await buyer.post(`/orders/${body.orderId}/pay`, {});
  return body.orderId;
}

async function logIn(page: Page, userId: string, password = PASSWORD): Promise<void> {
  await page.getByPlaceholder('seller').fill(userId);
  await page.getByPlaceholder('password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

test('the React panel ships once what was pressed while the hub was killed, and follows the next order', async () => {
  const [seller, buyer] = await people('panel');
  const { page, complaints } = await fixture.visit({ url: fixture.hub.url });
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(`${panelUrl()}?hub=${fixture.hub.url}`);
  await logIn(page, seller.userId, 'not the password');
  await page.getByText('password is missing or invalid').waitFor();
  await logIn(page, seller.userId);
  await page.getByRole('heading', { name: '0 to ship' }).waitFor();
  expect(sockets.filter((url) => url.includes('socket.io'))).toHaveLength(1);
  const orderId = await buys(buyer, seller);
  await page.getByRole('heading', { name: '1 to ship' }).waitFor();

  await fixture.hub.kill();
  await page.getByText('offline').waitFor();
  await page.getByRole('button', { name: 'Ship' }).click();
  await page.locator('button:disabled').waitFor();
  await fixture.startAgain();
  await page.getByRole('heading', { name: '0 to ship' }).waitFor();
  const { body } = await buyer.get<{ events: { orderId: string; status: string }[] }>('/rooms/buyer/events?after=0');
  expect(body.events.filter((event) => event.orderId === orderId).map(({ status }) => status)).toEqual([
    'placed',
    'paid',
    'shipped',
  ]);
  await buys(buyer, seller);
  await page.getByRole('heading', { name: '1 to ship' }).waitFor();
  expect(await page.locator('article').count()).toBe(1);
  expect(complaints).toEqual([]);
});

test('the bare bell rings once for each paid order, also for those of while it was closed', async () => {
  const [seller, buyer] = await people('bell');
  const { page } = await fixture.visit();
  const context = page.context();
  await context.route('https://cdn.socket.io/**', (route) =>
    route.fulfill({
      path: 'node_modules/socket.io-client/dist/socket.io.esm.min.js',
      contentType: 'text/javascript',
      headers: { 'access-control-allow-origin': '*' },
    }),
  );
  const open = async () => {
    const bell = await context.newPage();
    await bell.goto(`${bellUrl()}?hub=${fixture.hub.url}`);
    await logIn(bell, seller.userId);
    await bell.getByText('listening').waitFor();
    return bell;
  };
  const bell = await open();
  const rings = async (page: Page, orderIds: string[]) => {
    await page
      .locator('li')
      .nth(orderIds.length - 1)
      .waitFor();
    expect(await page.locator('li').allInnerTexts()).toEqual(orderIds.map((orderId) => `paid: ${orderId}`));
  };
  const first = await buys(buyer, seller);
  await rings(bell, [first]);
  await fixture.hub.kill();
  await bell.getByText('offline').waitFor();
  await fixture.startAgain();
  const second = await buys(buyer, seller);
  await rings(bell, [first, second]);
  await bell.getByText('listening').waitFor();
  await bell.close();
  const third = await buys(buyer, seller);
  await rings(await open(), [third]);
});
