import { expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';

/** What somebody does again, because nothing seemed to happen or because it was still there to be done. */
const stage = hubAndBrowser();

const press = ({ page }: Visitor, name: string) => page.getByRole('button', { name, exact: true }).click();

/** Somebody whose page has a line of its own, which can be cut. */
async function comeOverALine(person: Person) {
  const line = await TcpProxy.before(stage.hub.url);
  await line.open();
  const visitor = await stage.visit({ url: line.url });
  await visitor.comeAs(person);
  return { line, visitor };
}

/** Somebody who has just been told that the wallet holds too little for an order of ¥45. */
async function comeShortOfMoney() {
  const seller = await stage.hub.seller([{ price: 4_500 }]);
  const buyer = await stage.hub.buyer(0);
  const { orderId } = await buyer.place(seller);
  const visitor = await stage.visit();
  await visitor.comeAs(buyer);
  await visitor.go(`orders/${orderId}`);
  await press(visitor, 'Pay ¥45.00');
  await visitor.page.locator('.short button').waitFor();
  return { buyer, visitor, orderId };
}

/** What somebody has ordered: the titles of each order. */
async function titlesOf(buyer: Person): Promise<string[][]> {
  const { body } = await buyer.get<Page<Order>>('/orders?role=buyer');
  return body.items.map(({ items }) => items.map(({ title }) => title));
}

async function topUp(visitor: Visitor): Promise<void> {
  await visitor.go('wallet');
  await visitor.page.locator('input[name=amount]').fill('100');
  await press(visitor, 'Top up');
}

test('a wallet that is topped up again while the hub is away is topped up once', async () => {
  const buyer = await stage.hub.buyer(0);
  const { line, visitor } = await comeOverALine(buyer);
  await line.close();
  await topUp(visitor);
  await visitor.go('orders');
  await topUp(visitor);
  await line.open();
  await visitor.page.locator('.entries tbody tr').waitFor();
  await visitor.isLive();
  expect(await buyer.balance()).toBe(10_000);
  expect(await visitor.page.locator('.entries tbody tr').count()).toBe(1);
  await line.close();
});

test('what is put into a basket while it is being ordered stays there, and nothing is ordered again', async () => {
  const seller = await stage.hub.seller([{ title: 'Emma' }, { title: 'Persuasion' }]);
  const buyer = await stage.hub.buyer();
  const { line, visitor } = await comeOverALine(buyer);
  const shelf = await visitor.page.context().newPage();
  await shelf.goto(`${line.url}/#/store/${seller.storeId}`);
  const add = (title: string) => shelf.locator('.book', { hasText: title }).getByRole('button').click();
  await add('Emma');
  await visitor.go('cart');
  const place = visitor.page.locator('.basket button:not(.take-out)');
  await place.waitFor();
  await line.close();
  await place.click();
  await add('Persuasion');
  await visitor.page.locator('.cart-line').nth(1).waitFor();
  expect(await place.isDisabled()).toBe(true);
  await line.open();
  await visitor.page.locator('header .stamp-placed').waitFor();
  await visitor.go('cart');
  expect(await visitor.page.locator('.cart-line .what a').allInnerTexts()).toEqual(['Persuasion']);
  expect(await titlesOf(buyer)).toEqual([['Emma']]);
  await line.close();
});

test('an order that is over asks for no money any more', async () => {
  const { buyer, visitor, orderId } = await comeShortOfMoney();
  await buyer.post(`/orders/${orderId}/cancel`, {});
  await visitor.page.locator('header .stamp-cancelled').waitFor();
  expect(await visitor.page.locator('.short').count()).toBe(0);
});

test('who has topped up elsewhere pays without topping up again', async () => {
  const { buyer, visitor } = await comeShortOfMoney();
  await buyer.deposit(5_000);
  await visitor.page.locator('.short button').click();
  await visitor.page.locator('header .stamp-paid').waitFor();
  expect(await buyer.balance()).toBe(500);
});

test('what one tab puts into the cart is in the cart of the other', async () => {
  const seller = await stage.hub.seller([{ title: 'Emma' }, { title: 'Persuasion' }]);
  const buyer = await stage.hub.buyer();
  const visitor = await stage.visit();
  await visitor.comeAs(buyer);
  const other = await visitor.page.context().newPage();
  for (const page of [visitor.page, other]) await page.goto(`${stage.hub.url}/#/store/${seller.storeId}`);
  await visitor.page.locator('.book', { hasText: 'Emma' }).getByRole('button').click();
  await other.locator('nav').getByText('1', { exact: true }).waitFor();
  await other.locator('.book', { hasText: 'Persuasion' }).getByRole('button').click();
  await visitor.go('cart');
  await visitor.page.locator('.cart-line').nth(1).waitFor();
  await visitor.page.locator('.basket button:not(.take-out)').click();
  await visitor.page.locator('header .stamp-placed').waitFor();
  await until('the cart of the other tab is empty', async () => {
    const kept = await other.evaluate<string>("document.querySelector('nav.screens').innerText");
    return !/\d/.test(kept);
  });
  expect(await titlesOf(buyer)).toEqual([['Emma', 'Persuasion']]);
});

test('who logs out in one tab has logged out in the other, and so with logging in', async () => {
  const visitor = await stage.visit();
  await visitor.comeAs(await stage.hub.buyer());
  const other = await visitor.page.context().newPage();
  await other.goto(`${stage.hub.url}/#/wallet`);
  const isLive = () => other.locator('.line-state[data-state=live]').waitFor();
  await isLive();
  await press(visitor, 'Log out');
  await other.locator('.enter input[name=password]').waitFor();
  await visitor.register('somebody-else');
  await isLive();
  await other.locator('.balance .amount').getByText('¥0.00').waitFor();
  expect(await other.locator('.who').innerText()).toBe('somebody-else');
});
