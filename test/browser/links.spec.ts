import { expect, test } from '@jest/globals';
import { hubAndBrowser } from '../support/browser.js';

const stage = hubAndBrowser();

test('who follows a link while what they typed is not searched for yet gets where the link leads', async () => {
  const seller = await stage.hub.seller([{ bookId: 'middlemarch', title: 'Middlemarch' }]);
  const { page } = await stage.visit();
  await page.locator('.book').waitFor();
  // The page is busy for a while, as it may be on a phone: the link, and after it the search, come due meanwhile.
  await page.evaluate(`
    const input = document.querySelector('input[type=search]');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, 'middle');
    input.dispatchEvent(new Event('input', { bubbles: true }));
    setTimeout(() => document.querySelector('.book a').click(), 200);
    setTimeout(() => { for (const until = Date.now() + 400; Date.now() < until; ); }, 100);
  `);
  await page.locator('.book-page h1').getByText('Middlemarch').waitFor();
  expect(page.url()).toBe(`${stage.hub.url}/#/book/${seller.storeId}/middlemarch`);
  await page.goBack();
  await page.locator('.book').waitFor();
  expect(page.url()).toBe(`${stage.hub.url}/#/`);
});

test('what somebody began with one order is not begun with the next', async () => {
  const seller = await stage.hub.seller();
  const buyer = await stage.hub.buyer();
  const [one, other] = await Promise.all([buyer.place(seller), buyer.place(seller)]);
  const visitor = await stage.visit();
  await visitor.comeAs(buyer);
  await visitor.go('orders');
  await visitor.page.locator('.order').nth(1).waitFor();
  await visitor.go(`orders/${one.orderId}`);
  await visitor.page.locator('.order-page').getByRole('button', { name: 'Cancel' }).click();
  const focused = () => visitor.page.evaluate('document.activeElement.id || document.activeElement.className');
  await visitor.page.locator('.actions .danger').waitFor();
  expect(await focused()).toBe('danger');
  await visitor.go(`orders/${other.orderId}`);
  await visitor.page.getByRole('heading', { name: other.orderId.slice(-6) }).waitFor();
  expect(await focused()).toBe('main');
  expect(await visitor.page.locator('.actions .danger').count()).toBe(0);
  await visitor.page.getByRole('button', { name: 'Cancel' }).waitFor();
});

test('a book that runs low leads to the shelf of its own store', async () => {
  const seller = await stage.hub.seller([{ title: 'Emma', stock: 100 }]);
  await seller.post('/stores', { storeId: 'zz-the-second-store' });
  await seller.post('/stores/zz-the-second-store/books', { bookId: 'low', title: 'Silas Marner', price: 1, stock: 2 });
  const visitor = await stage.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel');
  await visitor.page.locator('.low-stock a').click();
  await visitor.page.locator('.shelf-row', { hasText: 'Silas Marner' }).waitFor();
});
