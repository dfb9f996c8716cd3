import { expect, test } from '@jest/globals';
import { hubAndBrowser } from '../support/browser.js';

const fixture = hubAndBrowser();

test('a buyer takes several copies from the book’s page, and buys what an order held again', async () => {
  const seller = await fixture.hub.seller([
    { title: 'Emma', stock: 10 },
    { title: 'Walden', stock: 1 },
  ]);
  const buyer = await fixture.hub.buyer();
  const items = [
    { bookId: 'book-1', count: 2 },
    { bookId: 'book-2', count: 1 },
  ];
  const { orderId } = await buyer.place(seller, items);
  await buyer.post(`/orders/${orderId}/pay`, {});
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  const { page } = visitor;
  await visitor.go(`book/${seller.storeId}/book-1`);
  await page.getByLabel('Quantity of Emma').fill('3');
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await page.getByText('Added Emma to your cart.').waitFor();

  await visitor.go(`orders/${orderId}`);
  await page.getByRole('button', { name: 'Buy again' }).click();
  await page.getByText('Not available: Walden.').waitFor();
  await page.getByRole('link', { name: 'Added to your cart.' }).click();
  await page.locator('.cart-line').waitFor();
  expect(await page.getByLabel('Quantity of Emma').inputValue()).toBe('5');
  expect(visitor.complaints).toEqual([]);
});
