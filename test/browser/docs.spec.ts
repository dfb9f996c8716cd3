import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { PASSWORD } from '../support/hub.js';
import { PrefixProxy } from '../support/prefix.proxy.js';

const fixture = hubAndBrowser();

async function open(url = fixture.hub.url): Promise<Visitor> {
  const visitor = await fixture.visit({ url });
  await visitor.page.goto(`${url}/docs`);
  return visitor;
}

/** Registers and logs in where the page offers it. */
async function logIn(page: Page, userId: string): Promise<void> {
  await page.getByLabel('userId').fill(userId);
  await page.getByLabel('password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Register' }).click();
  await page.getByText('Registered: log in.').waitFor();
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText(`Logged in as ${userId}.`).waitFor();
}

/** Sends the example of a route or message, with some of its fields changed, and returns what the hub answered. */
async function tryIt(page: Page, id: string, fields: Record<string, unknown>): Promise<string> {
  const article = page.locator(`[id="${id}"]`);
  if ((await article.getByRole('button', { name: 'Try it' }).count()) > 0) {
    await article.getByRole('button', { name: 'Try it' }).click();
  }
  const request = article.getByLabel('Request', { exact: true });
  await request.fill(JSON.stringify({ ...JSON.parse(await request.inputValue()), ...fields }));
  await article.getByRole('button', { name: 'Send' }).click();
  const answer = article.getByLabel('Answer of the hub');
  await answer.getByText('{').waitFor();
  return answer.innerText();
}

test('a search leaves what holds all its words, in the contents too', async () => {
  const { page, complaints } = await open();
  await page.getByRole('searchbox').fill('carrier TRACKING parcel');
  expect(await page.locator('[id="message-order.ship"]').isVisible()).toBe(true);
  expect(await page.locator('[id="message-order.pay"]').isVisible()).toBe(false);
  const contents = page.getByRole('navigation');
  expect(await contents.getByRole('link', { name: 'order:ship', exact: true }).isVisible()).toBe(true);
  expect(await contents.getByRole('link', { name: 'order:pay', exact: true }).isVisible()).toBe(false);
  await page.getByRole('searchbox').fill('');
  expect(await page.locator('[id="message-order.pay"]').isVisible()).toBe(true);
  expect(complaints).toEqual([]);
});

test('a reader behind a path prefix opens a store over HTTP and orders over the socket of the hub it came from', async () => {
  const seller = await fixture.hub.seller([{ bookId: 'emma', stock: 5 }]);
  const prefixed = await PrefixProxy.before(fixture.hub.url, '/shop/hub');
  const { page, complaints } = await open(prefixed.url);
  expect(await tryIt(page, 'route-openStore', { storeId: 'readers' })).toMatch(/^401\n[\s\S]*UNAUTHENTICATED/);
  await logIn(page, 'reader');
  expect(await tryIt(page, 'route-openStore', { storeId: 'readers' })).toMatch(/^201\n[\s\S]*"storeId": "readers"/);
  const order = { storeId: seller.storeId, items: [{ bookId: 'emma', count: 1 }], expectedTotal: 1_000 };
  const first = JSON.parse(await tryIt(page, 'message-order.place', order));
  expect(first).toMatchObject({ ok: true, seq: 1, data: { storeId: seller.storeId, buyerId: 'reader' } });
  await page.getByLabel('Pushes heard').getByText('order:status').waitFor();
  // The form keeps the key that it was given.
  await page.locator('[id="message-order.place"]').getByRole('button', { name: 'Send' }).click();
  await page.locator('[id="message-order.place"]').getByText('"replayed": true').waitFor();
  expect(await seller.stock('emma')).toBe(4);
  expect(complaints).toEqual([]);
  await prefixed.close();
});
