import { expect, test } from '@jest/globals';
import { hubProcessAndBrowser } from '../support/browser.js';

const BOOKS = `id,title,author,price,stock
middlemarch,Middlemarch,George Eliot,42.00,9`;

const fixture = hubProcessAndBrowser();

test('a hub killed during a placement leaves one order, and both pages catch up', async () => {
  const seller = await fixture.visit();
  const buyer = await fixture.visit();
  await seller.register('Lin');
  await seller.openStore('lin-books');
  await seller.importBooks(BOOKS);
  await seller.page.getByText('1 book added.').waitFor();
  await seller.go('panel/board');
  await buyer.register('Ada');
  await buyer.topUp('100');
  await buyer.go();
  await buyer.page.getByRole('button', { name: 'Add to cart' }).click();
  await buyer.go('cart');

  // The command is sent but not answered when the hub is killed.
  fixture.hub.freeze();
  await buyer.page.getByRole('button', { name: 'Place order: ¥42.00' }).click();
  const placing = buyer.page.getByRole('button', { name: 'Placing order… (not confirmed yet)' });
  await placing.waitFor();
  await fixture.hub.kill();
  await buyer.page.locator('.connection-status[data-state=offline]').waitFor();
  await seller.page.locator('.connection-status[data-state=offline]').waitFor();
  expect(await placing.count()).toBe(1);

  await fixture.startAgain();
  await buyer.page.getByRole('button', { name: 'Pay ¥42.00' }).waitFor();
  await Promise.all([buyer.isLive(), seller.isLive()]);
  const waiting = seller.page.getByRole('region', { name: 'Awaiting payment' });
  await waiting.getByText('1 × Middlemarch').waitFor();
  expect(await seller.page.locator('.board-card').count()).toBe(1);
  expect(await buyer.page.locator('.timeline li').count()).toBe(1);

  await buyer.page.getByRole('button', { name: 'Pay ¥42.00' }).click();
  await buyer.page.locator('header .status-badge-paid').waitFor();
  await seller.page.getByText('1 new paid order').waitFor();
  await buyer.go('orders');
  await buyer.page.locator('.order').first().waitFor();
  expect(await buyer.page.locator('.order').count()).toBe(1);
  expect(await seller.page.locator('.board-card').count()).toBe(1);
  expect([...seller.complaints, ...buyer.complaints]).toEqual([]);
});
