import { expect, test } from '@jest/globals';
import { hubProcessAndBrowser, type Visitor } from '../support/browser.js';

const BOOKS = `编号,书名,作者,价格,库存
to-live,活着,余华,28.00,10`;

const fixture = hubProcessAndBrowser({ FUNDS: 'provider', PAYMENT_PROVIDER: 'test' });

/** Says yes or no at the payment provider's page, and goes back. */
async function answer({ page }: Visitor, button: 'Yes, pay' | 'No'): Promise<string> {
  await page.getByRole('heading', { name: 'Test payment' }).waitFor();
  await page.getByRole('button', { name: button }).click();
  const outcome = await page.getByRole('status').innerText();
  await page.getByRole('link', { name: 'Back to the shop' }).click();
  return outcome;
}

test('a buyer tops up, and pays an order, at the payment provider’s page', async () => {
  const seller = await fixture.visit();
  await seller.register('Lin');
  await seller.openStore('lin-books');
  await seller.importBooks(BOOKS);
  await seller.page.getByText('1 book added.').waitFor();

  const buyer = await fixture.visit();
  await buyer.register('Ai');
  await buyer.go('wallet');
  await buyer.page.locator('input[name=amount]').fill('5');
  await buyer.page.locator('button[value=deposit]').click();
  await buyer.page.getByText('CN¥5.00').waitFor();
  expect(await answer(buyer, 'No')).toBe('Not paid.');
  await buyer.page.locator('input[name=amount]').fill('5');
  await buyer.page.locator('button[value=deposit]').click();
  expect(await answer(buyer, 'Yes, pay')).toMatch(/^Paid\./);
  await buyer.page.locator('.entries tbody tr').waitFor();

  await buyer.go();
  await buyer.page.locator('.book').getByRole('button', { name: 'Add to cart' }).click();
  await buyer.go('cart');
  await buyer.page.getByRole('button', { name: /¥28\.00/ }).click();
  await buyer.page.getByRole('timer').waitFor();
  await buyer.page.getByRole('button', { name: 'Pay ¥28.00' }).click();
  await buyer.page.getByRole('button', { name: 'Top up ¥23.00 and pay' }).click();
  expect(await answer(buyer, 'Yes, pay')).toMatch(/^Paid\./);
  await buyer.page.locator('header .status-badge-paid').waitFor();
  expect([...seller.complaints, ...buyer.complaints]).toEqual([]);
});
