import process from 'node:process';
import { expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';

const fixture = hubAndBrowser();

/** For somebody to look at, if a folder is given. */
async function shoot({ page }: Visitor, name: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

/** Puts one copy of the first book of each store into the cart, and opens it. */
async function fillCart(visitor: Visitor, sellers: Person[]): Promise<void> {
  for (const { storeId } of sellers) {
    await visitor.go(`store/${storeId}`);
    await visitor.page.locator('.book').getByRole('button').click();
  }
  await visitor.go('cart');
  await visitor.page
    .locator('.basket')
    .nth(sellers.length - 1)
    .waitFor();
}

/** Two stores: Emma for ¥30 in one, Walden for ¥45 in the other. */
async function twoStores(): Promise<[Person, Person]> {
  const seller = (title: string, price: number) => fixture.hub.seller([{ title, price, stock: 1 }]);
  return Promise.all([seller('Emma', 3_000), seller('Walden', 4_500)]);
}

/** The title and status of each order of the buyer, in the order of titles. */
async function ordersOf(buyer: Person): Promise<string[]> {
  const { body } = await buyer.get<Page<Order>>('/orders?role=buyer');
  return body.items.map(({ items, status }) => `${items.map(({ title }) => title)} ${status}`).sort();
}

const statusOf = ({ page }: Visitor, title: string) =>
  page.locator('.placed-orders .order', { hasText: title }).locator('.status-badge');

test('two stores are ordered and paid with one button, each as an order of its own', async () => {
  const sellers = await twoStores();
  const buyer = await fixture.hub.buyer(10_000);
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  await fillCart(visitor, sellers);
  expect(await visitor.page.locator('.basket').getByRole('button', { name: 'Place order' }).count()).toBe(0);
  await visitor.page.getByRole('button', { name: 'Place and pay for 2 orders: ¥75.00' }).dblclick();
  await visitor.page.getByText('2 orders placed and paid.').waitFor();
  expect(await visitor.page.evaluate('document.activeElement.innerText')).toBe('Your new orders');
  expect(await ordersOf(buyer)).toEqual(['Emma paid', 'Walden paid']);
  expect(await buyer.balance()).toBe(2_500);
  expect(await visitor.page.locator('.cart-line').count()).toBe(0);

  await visitor.page
    .getByRole('link', { name: /^Order #/ })
    .first()
    .click();
  await visitor.page.locator('.timeline li').nth(1).waitFor();
  await visitor.page.goBack();
  await visitor.page.getByRole('button', { name: 'Dismiss' }).click();
  await visitor.page.getByText('Your cart is empty.').waitFor();
  expect(visitor.complaints).toEqual([]);
});

test('what is sold out or dearer by now stays in the cart with its reason, and the rest is ordered', async () => {
  const sellers = await twoStores();
  const third = await fixture.hub.seller([{ title: 'Persuasion', price: 1_000 }]);
  const [emmas, waldens] = sellers;
  const buyer = await fixture.hub.buyer(10_000);
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  await fillCart(visitor, [...sellers, third]);
  const other = await fixture.hub.buyer(10_000);
  await other.place(emmas);
  await third.patch(`/stores/${third.storeId}/books/book-1`, { price: 1_200 });

  await visitor.page.getByRole('button', { name: 'Place and pay for 3 orders: ¥85.00' }).click();
  await visitor.page.getByText('1 order placed and paid.').waitFor();
  await visitor.page.getByText('2 orders couldn’t be placed.').first().waitFor();
  const basket = (title: string) => visitor.page.locator('.basket', { hasText: title });
  await basket('Emma').getByText('Emma is sold out. Remove it to order the rest.').waitFor();
  await basket('Persuasion').getByText('your total is now ¥12.00, not ¥10.00').waitFor();
  expect(await statusOf(visitor, 'Walden').innerText()).toBe('Paid');
  await shoot(visitor, 'checkout.failed');
  expect(await ordersOf(buyer)).toEqual(['Walden paid']);
  expect(waldens.storeId).not.toBe(emmas.storeId);

  // With the sold-out book gone, one store is left, which has the single button again.
  await visitor.page.getByRole('button', { name: 'Remove Emma' }).click();
  await visitor.page.getByRole('button', { name: 'Place order: ¥12.00' }).click();
  await visitor.page.locator('header .status-badge-placed').waitFor();
  expect(await ordersOf(buyer)).toEqual(['Persuasion placed', 'Walden paid']);
});

test('an order that the wallet cannot pay is placed, says how much is missing, and is paid after a top-up', async () => {
  const sellers = await twoStores();
  const buyer = await fixture.hub.buyer(3_500);
  const visitor = await fixture.visit({ viewport: { width: 390, height: 844 } });
  await visitor.comeAs(buyer);
  await fillCart(visitor, sellers);
  await shoot(visitor, 'checkout.phone');
  await visitor.page.getByRole('button', { name: 'Place and pay for 2 orders' }).click();
  await visitor.page.getByText('1 order placed and paid.').waitFor();
  await visitor.page.getByText('1 order placed, but not paid yet.').waitFor();
  await visitor.page.getByText('Your wallet is ¥40.00 short.').waitFor();
  await shoot(visitor, 'checkout.short');
  await visitor.page.getByRole('button', { name: 'Top up ¥40.00 and pay' }).click();
  await visitor.page.getByText('2 orders placed and paid.').waitFor();
  expect(await ordersOf(buyer)).toEqual(['Emma paid', 'Walden paid']);
  expect(await buyer.balance()).toBe(0);
});

test('a checkout interrupted by a lost connection and a page load takes effect once', async () => {
  const sellers = await twoStores();
  const buyer = await fixture.hub.buyer(10_000);
  const proxy = await TcpProxy.before(fixture.hub.url);
  await proxy.open();
  const visitor = await fixture.visit({ url: proxy.url });
  await visitor.comeAs(buyer);
  await fillCart(visitor, sellers);
  const button = visitor.page.locator('.checkout > button');
  await proxy.close();
  await button.click();
  await visitor.page.getByText('Placing your orders… (not confirmed yet)').waitFor();
  expect(await button.isDisabled()).toBe(true);
  await proxy.open();
  await visitor.page.getByText('2 orders placed and paid.').waitFor();
  await visitor.isLive();

  // The first answer is lost with the page: the second attempt carries the same keys.
  const more = await twoStores();
  await fillCart(visitor, more);
  await visitor.page.getByRole('button', { name: 'Dismiss' }).click();
  const kept = await visitor.page.evaluate<string>("localStorage.getItem('order-hub:cart')");
  await visitor.page.getByRole('button', { name: 'Place and pay for 2 orders: ¥75.00' }).click();
  await visitor.page.getByText('2 orders placed').first().waitFor();
  await visitor.page.evaluate(`localStorage.setItem('order-hub:cart', ${JSON.stringify(kept)})`);
  await visitor.page.reload();
  await visitor.page.getByRole('button', { name: 'Place and pay for 2 orders: ¥75.00' }).click();
  await visitor.page.locator('.placed-orders .order').nth(1).waitFor();
  expect((await ordersOf(buyer)).length).toBe(4);
  expect((await ordersOf(buyer)).filter((order) => order.startsWith('Emma')).length).toBe(2);
  await proxy.close();
});
