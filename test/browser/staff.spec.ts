import { expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { PASSWORD } from '../support/hub.js';
import type { Person } from '../support/person.js';

let buyer: Person;

const fixture = hubAndBrowser(async (hub) => {
  buyer = await hub.buyer(1_000_000, 'ada');
  await buyer.connect();
});

async function paidOrder(seller: Person): Promise<Order> {
  const order = await buyer.place(seller);
  await buyer.does('order:pay', { orderId: order.orderId });
  return order;
}

async function logIn({ userId }: Person): Promise<Visitor> {
  const visitor = await fixture.visit();
  await visitor.go('login');
  await visitor.page.locator('input[name=userId]').fill(userId);
  await visitor.page.locator('input[name=password]').fill(PASSWORD);
  await visitor.page.locator('.login button[type=submit]').click();
  await visitor.isLive();
  return visitor;
}

/** A page of somebody who works for the seller, with its panel open. */
async function workingFor(seller: Person, member: Person): Promise<Visitor> {
  const visitor = await logIn(member);
  await visitor.go('panel');
  await visitor.page.getByRole('button', { name: `Work for ${seller.userId}` }).click();
  await visitor.page.getByText(`${member.userId} for ${seller.userId}`).waitFor();
  await visitor.isLive();
  return visitor;
}

const entries = ({ page }: Visitor) => page.locator('.timeline li').allInnerTexts();

test('a seller adds a member, changes what it may do, and removes it, and its page follows each', async () => {
  const seller = await fixture.hub.seller();
  const member = await fixture.hub.buyer(0, 'ying');
  const { page } = await logIn(seller);
  await page.goto(`${fixture.hub.url}/#/panel/settings/staff`);
  await page.getByText('Nobody yet.').waitFor();
  const userId = page.getByLabel('Their username');
  await userId.fill('nobody-of-this-name');
  await page.getByRole('button', { name: 'Add to staff' }).click();
  await page.getByRole('alert').getByText('There is no such user.').waitFor();
  await userId.fill(member.userId);
  await page.getByRole('button', { name: 'Add to staff' }).click();
  await page.getByText('ying can now work for you.').waitFor();
  await page.locator('.settings-row', { hasText: 'ying View, Fulfil' }).waitFor();

  const visitor = await workingFor(seller, member);
  const products = visitor.page.getByRole('link', { name: 'Products' });
  await visitor.page.locator('.desk-filters').waitFor();
  await products.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Change: ying' }).click();
  await page.getByLabel('Products change').last().waitFor();
  const editor = page.locator('.settings-list form');
  await editor.getByRole('checkbox', { name: 'Products' }).check();
  await editor.getByRole('button', { name: 'Save' }).click();
  await page.locator('.settings-row', { hasText: 'View, Fulfil, Products' }).waitFor();
  await products.click();
  await visitor.page.getByText('Add a book').waitFor();

  await page.getByRole('button', { name: 'Remove: ying' }).click();
  await page.getByRole('button', { name: 'Remove now' }).click();
  await page.getByText('Nobody yet.').waitFor();
  await visitor.page.getByText(`You no longer work for ${seller.userId}.`).waitFor();
  await visitor.page.getByRole('button', { name: 'Open a store' }).waitFor();
  await visitor.isLive();
  expect(visitor.complaints).toEqual([]);
});

test('two members and the owner see who has seen, claimed and shipped an order', async () => {
  const seller = await fixture.hub.seller();
  const [ying, li] = [await fixture.hub.buyer(0), await fixture.hub.buyer(0)];
  for (const { userId } of [ying, li]) await seller.post('/staff', { userId, rights: ['read', 'sell'] });
  const owner = await logIn(seller);
  await owner.go('panel');
  await owner.page.getByText('No orders here.').waitFor();
  const first = await workingFor(seller, ying);
  const second = await workingFor(seller, li);
  const { orderId, number } = await paidOrder(seller);
  for (const { page } of [owner, first, second]) await page.getByText('1 new paid order', { exact: true }).waitFor();

  await first.page.getByRole('link', { name: `#${number}`, exact: true }).click();
  for (const { page } of [owner, second]) await page.getByText('0 new paid orders').waitFor();
  await first.page.getByRole('button', { name: 'Claim for 15 minutes' }).click();
  await first.page.getByText('You’re working on this order until').waitFor();
  await owner.page.locator('.claim-mark', { hasText: ying.userId }).waitFor();
  await second.page.locator('.claim-mark', { hasText: ying.userId }).waitFor();

  await second.page.getByRole('button', { name: `Ship order #${number}` }).click();
  await second.page.getByRole('dialog').getByRole('button', { name: 'Ship 1 copy' }).click();
  await second.page.getByRole('alert').getByText(`${ying.userId} is working on this order until`).waitFor();
  expect((await seller.get<Order>(`/orders/${orderId}`)).body.status).toBe('paid');

  await first.page.getByRole('button', { name: 'Release' }).click();
  await owner.page.locator('.claim-mark').waitFor({ state: 'detached' });
  await first.page.getByRole('button', { name: 'Claim for 15 minutes' }).click();
  await owner.page.locator('.claim-mark', { hasText: ying.userId }).waitFor();
  await first.page.getByRole('button', { name: 'Ship', exact: true }).click();
  await first.page.getByRole('button', { name: 'Ship 1 copy' }).click();
  await first.page.locator('header .status-badge-shipped').waitFor();

  await owner.go(`panel/orders/${orderId}`);
  await owner.page.locator('.timeline li', { hasText: 'Shipped' }).waitFor();
  const [, , seen, shipped] = await entries(owner);
  expect(seen).toMatch(new RegExp(`Seen by the shop.*by ${ying.userId}`, 's'));
  expect(shipped).toMatch(new RegExp(`Shipped.*by ${ying.userId}`, 's'));
  for (const { complaints } of [owner, first, second]) expect(complaints).toEqual([]);
});

test('claims made while a page was offline are there after the break, also by keyboard', async () => {
  const seller = await fixture.hub.seller();
  const li = await fixture.hub.buyer(0);
  await seller.post('/staff', { userId: li.userId, rights: ['read', 'sell'] });
  await paidOrder(seller);
  const owner = await logIn(seller);
  await owner.go('panel');
  const member = await workingFor(seller, li);
  await member.page.locator('.desk-row').waitFor();
  await owner.page.context().setOffline(true);
  await owner.page.getByText('Connection lost.').waitFor();
  await member.page.keyboard.press('c');
  await member.page.locator('.claim-mark.mine').waitFor();
  expect(await owner.page.locator('.claim-mark').count()).toBe(0);
  await owner.page.context().setOffline(false);
  await owner.page.locator('.claim-mark', { hasText: li.userId }).waitFor();
  await member.page.keyboard.press('c');
  await owner.page.locator('.claim-mark').waitFor({ state: 'detached' });
});

test('what is a member’s own stays its own: its cart, orders and wallet, and its store', async () => {
  const seller = await fixture.hub.seller([{ title: 'Emma' }]);
  const member = await fixture.hub.seller([{ title: 'Walden' }]);
  await seller.post('/staff', { userId: member.userId, rights: ['read', 'sell', 'stock'] });
  const visitor = await logIn(member);
  await visitor.go('panel/shelf');
  await visitor.page.locator('.shelf-row', { hasText: 'Walden' }).waitFor();
  await visitor.page.getByLabel('Working for').selectOption(`Work for ${seller.userId}`);
  await visitor.page.locator('.shelf-row', { hasText: 'Emma' }).waitFor();
  for (const screen of ['cart', 'orders', 'wallet']) {
    await visitor.go(screen);
    await visitor.page.getByText(`You’re working for ${seller.userId}.`).waitFor();
  }
  await visitor.page.reload();
  await visitor.page.getByRole('button', { name: 'Switch to my own account' }).click();
  await visitor.page.getByRole('heading', { name: 'Wallet' }).waitFor();
  await visitor.go('panel/shelf');
  await visitor.page.locator('.shelf-row', { hasText: 'Walden' }).waitFor();
  expect(visitor.complaints).toEqual([]);
});
