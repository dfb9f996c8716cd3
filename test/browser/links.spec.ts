import { expect, test } from '@jest/globals';
import { hubAndBrowser } from '../support/browser.js';
import { PASSWORD } from '../support/hub.js';

const fixture = hubAndBrowser();

test('a link followed during a pending search wins over the search', async () => {
  const seller = await fixture.hub.seller([{ bookId: 'middlemarch', title: 'Middlemarch' }]);
  const { page } = await fixture.visit();
  await page.locator('.book').waitFor();
  // The page is busy, as on a slow phone; the click and then the search debounce fall due meanwhile.
  await page.evaluate(`
    const input = document.querySelector('input[type=search]');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, 'middle');
    input.dispatchEvent(new Event('input', { bubbles: true }));
    setTimeout(() => document.querySelector('.book a').click(), 200);
    setTimeout(() => { for (const until = Date.now() + 400; Date.now() < until; ); }, 100);
  `);
  await page.locator('.book-page h1').getByText('Middlemarch').waitFor();
  expect(page.url()).toBe(`${fixture.hub.url}/#/book/${seller.storeId}/middlemarch`);
  await page.goBack();
  await page.locator('.book').waitFor();
  expect(page.url()).toBe(`${fixture.hub.url}/#/`);
});

test('an action started on one order does not carry over to the next', async () => {
  const seller = await fixture.hub.seller();
  const buyer = await fixture.hub.buyer();
  const [one, other] = await Promise.all([buyer.place(seller), buyer.place(seller)]);
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  await visitor.go('orders');
  await visitor.page.locator('.order').nth(1).waitFor();
  await visitor.go(`orders/${one.orderId}`);
  await visitor.page.locator('.order-page').getByRole('button', { name: 'Cancel' }).click();
  const focused = () => visitor.page.evaluate('document.activeElement.id || document.activeElement.className');
  await visitor.page.locator('.actions .danger').waitFor();
  expect(await focused()).toBe('danger');
  await visitor.go(`orders/${other.orderId}`);
  await visitor.page.getByRole('heading', { name: `Order #${other.number}` }).waitFor();
  expect(await focused()).toBe('main');
  expect(await visitor.page.locator('.actions .danger').count()).toBe(0);
  await visitor.page.getByRole('button', { name: 'Cancel' }).waitFor();
});

test('the low-stock link opens the shelf of the book’s own store', async () => {
  const seller = await fixture.hub.seller([{ title: 'Emma', stock: 100 }]);
  await seller.post('/stores', { storeId: 'zz-the-second-store' });
  await seller.post('/stores/zz-the-second-store/books', { bookId: 'low', title: 'Silas Marner', price: 1, stock: 2 });
  const visitor = await fixture.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/board');
  await visitor.page.locator('.low-stock a').click();
  await visitor.page.locator('.shelf-row', { hasText: 'Silas Marner' }).waitFor();
});

test('the former address of the login page still opens it, and logging in leads to the books', async () => {
  const person = await fixture.hub.person();
  const { page } = await fixture.visit();
  await page.goto(`${fixture.hub.url}/#/enter`);
  await page.locator('.login input[name=userId]').fill(person.userId);
  await page.locator('.login input[name=password]').fill(PASSWORD);
  await page.locator('.login button[type=submit]').click();
  await page.locator('.books').waitFor({ state: 'attached' });
  expect(page.url()).toBe(`${fixture.hub.url}/#/`);
});
