import { expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';

const fixture = hubAndBrowser();

const press = ({ page }: Visitor, name: string) => page.getByRole('button', { name, exact: true }).click();

/** Logs the person in on a page connected through a proxy that can be closed. */
async function visitThroughProxy(person: Person) {
  const proxy = await TcpProxy.before(fixture.hub.url);
  await proxy.open();
  const visitor = await fixture.visit({ url: proxy.url });
  await visitor.comeAs(person);
  return { proxy, visitor };
}

/** A buyer whose payment of ¥45 has just failed for lack of money. */
async function visitShortOfMoney() {
  const seller = await fixture.hub.seller([{ price: 4_500 }]);
  const buyer = await fixture.hub.buyer(0);
  const { orderId } = await buyer.place(seller);
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  await visitor.go(`orders/${orderId}`);
  await press(visitor, 'Pay ¥45.00');
  await visitor.page.locator('.short button').waitFor();
  return { buyer, visitor, orderId };
}

/** The titles of each order of the buyer. */
async function titlesOf(buyer: Person): Promise<string[][]> {
  const { body } = await buyer.get<Page<Order>>('/orders?role=buyer');
  return body.items.map(({ items }) => items.map(({ title }) => title));
}

async function topUp(visitor: Visitor): Promise<void> {
  await visitor.go('wallet');
  await visitor.page.locator('input[name=amount]').fill('100');
  await press(visitor, 'Top up');
}

test('a deposit repeated while disconnected takes effect once', async () => {
  const buyer = await fixture.hub.buyer(0);
  const { proxy, visitor } = await visitThroughProxy(buyer);
  await proxy.close();
  await topUp(visitor);
  await visitor.go('orders');
  // Until it has been left, the wallet shows the deposit under way, and takes no other.
  await visitor.page.getByRole('heading', { name: 'Your orders' }).waitFor();
  await topUp(visitor);
  await proxy.open();
  await visitor.page.locator('.entries tbody tr').waitFor();
  await visitor.isLive();
  expect(await buyer.balance()).toBe(10_000);
  expect(await visitor.page.locator('.entries tbody tr').count()).toBe(1);
  await proxy.close();
});

test('a book added to a basket being ordered stays there, and the order is placed once', async () => {
  const seller = await fixture.hub.seller([{ title: 'Emma' }, { title: 'Persuasion' }]);
  const buyer = await fixture.hub.buyer();
  const { proxy, visitor } = await visitThroughProxy(buyer);
  const storePage = await visitor.page.context().newPage();
  await storePage.goto(`${proxy.url}/#/store/${seller.storeId}`);
  const add = (title: string) => storePage.locator('.book', { hasText: title }).getByRole('button').click();
  await add('Emma');
  await visitor.go('cart');
  const place = visitor.page.locator('.basket button:not(.remove-line)');
  await place.waitFor();
  await proxy.close();
  await place.click();
  await add('Persuasion');
  await visitor.page.locator('.cart-line').nth(1).waitFor();
  expect(await place.isDisabled()).toBe(true);
  await proxy.open();
  await visitor.page.locator('header .status-badge-placed').waitFor();
  await visitor.go('cart');
  expect(await visitor.page.locator('.cart-line .what a').allInnerTexts()).toEqual(['Persuasion']);
  expect(await titlesOf(buyer)).toEqual([['Emma']]);
  await proxy.close();
});

test('a cancelled order no longer offers to top up', async () => {
  const { buyer, visitor, orderId } = await visitShortOfMoney();
  await buyer.post(`/orders/${orderId}/cancel`, {});
  await visitor.page.locator('header .status-badge-cancelled').waitFor();
  expect(await visitor.page.locator('.short').count()).toBe(0);
});

test('a wallet topped up elsewhere pays without another deposit', async () => {
  const { buyer, visitor } = await visitShortOfMoney();
  await buyer.deposit(5_000);
  await visitor.page.locator('.short button').click();
  await visitor.page.locator('header .status-badge-paid').waitFor();
  expect(await buyer.balance()).toBe(500);
});

test('tabs share one cart', async () => {
  const seller = await fixture.hub.seller([{ title: 'Emma' }, { title: 'Persuasion' }]);
  const buyer = await fixture.hub.buyer();
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  const other = await visitor.page.context().newPage();
  for (const page of [visitor.page, other]) await page.goto(`${fixture.hub.url}/#/store/${seller.storeId}`);
  await visitor.page.locator('.book', { hasText: 'Emma' }).getByRole('button').click();
  await other.locator('nav').getByText('1', { exact: true }).waitFor();
  await other.locator('.book', { hasText: 'Persuasion' }).getByRole('button').click();
  await visitor.go('cart');
  await visitor.page.locator('.cart-line').nth(1).waitFor();
  await visitor.page.locator('.basket button:not(.remove-line)').click();
  await visitor.page.locator('header .status-badge-placed').waitFor();
  await until('the cart of the other tab is empty', async () => {
    const text = await other.evaluate<string>("document.querySelector('nav.screens').innerText");
    return !/\d/.test(text);
  });
  expect(await titlesOf(buyer)).toEqual([['Emma', 'Persuasion']]);
});

test('tabs share login and logout', async () => {
  const visitor = await fixture.visit();
  await visitor.comeAs(await fixture.hub.buyer());
  const other = await visitor.page.context().newPage();
  await other.goto(`${fixture.hub.url}/#/wallet`);
  const isLive = () => other.locator('.connection-status[data-state=live]').waitFor();
  await isLive();
  await press(visitor, 'Log out');
  await other.locator('.login input[name=password]').waitFor();
  await visitor.register('another-user');
  await isLive();
  await other.locator('.balance .amount').getByText('¥0.00').waitFor();
  expect(await other.locator('.user-name').innerText()).toBe('another-user');
});
