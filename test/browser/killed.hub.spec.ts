import { expect, test } from '@jest/globals';
import { hubProcessAndBrowser } from '../support/browser.js';

const SHELF = `id,title,author,price,stock
middlemarch,Middlemarch,George Eliot,42.00,9`;

const stage = hubProcessAndBrowser();

test('a hub that is killed while an order is on its way leaves one order, and both pages catch up by themselves', async () => {
  const seller = await stage.visit();
  const buyer = await stage.visit();
  await seller.register('Lin');
  await seller.openStore('lin-books');
  await seller.importBooks(SHELF);
  await seller.page.getByText('1 book added, 0 refused.').waitFor();
  await seller.go('panel/board');
  await buyer.register('Ada');
  await buyer.topUp('100');
  await buyer.go();
  await buyer.page.getByRole('button', { name: 'Add to cart' }).click();
  await buyer.go('cart');

  // The command has left the page and is not answered when the hub dies.
  stage.hub.freeze();
  await buyer.page.getByRole('button', { name: 'Place the order: ¥42.00' }).click();
  const placing = buyer.page.getByRole('button', { name: 'Placing … (not confirmed yet)' });
  await placing.waitFor();
  await stage.hub.kill();
  await buyer.page.locator('.line-state[data-state=offline]').waitFor();
  await seller.page.locator('.line-state[data-state=offline]').waitFor();
  expect(await placing.count()).toBe(1);

  await stage.startAgain();
  await buyer.page.getByRole('button', { name: 'Pay ¥42.00' }).waitFor();
  await Promise.all([buyer.isLive(), seller.isLive()]);
  const waiting = seller.page.getByRole('region', { name: 'Waiting for payment' });
  await waiting.getByText('1 × Middlemarch').waitFor();
  expect(await seller.page.locator('.board-card').count()).toBe(1);
  expect(await buyer.page.locator('.timeline li').count()).toBe(1);

  await buyer.page.getByRole('button', { name: 'Pay ¥42.00' }).click();
  await buyer.page.locator('header .stamp-paid').waitFor();
  await seller.page.getByText('1 new paid order').waitFor();
  await buyer.go('orders');
  await buyer.page.locator('.order').first().waitFor();
  expect(await buyer.page.locator('.order').count()).toBe(1);
  expect(await seller.page.locator('.board-card').count()).toBe(1);
  expect([...seller.complaints, ...buyer.complaints]).toEqual([]);
});
