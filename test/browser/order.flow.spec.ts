import { expect, test } from '@jest/globals';
import { hubProcessAndBrowser, type Visitor } from '../support/browser.js';

const BOOKS = `编号,书名,作者,价格,库存
dark-forest,"三体Ⅱ：黑暗森林",刘慈欣,32.00,6
to-live,活着,余华,28.00,10
no-price,没有价格的书,无名氏,many,1
walden,"Walden; or, Life in the Woods",Henry David Thoreau,25.50,4`;

const fixture = hubProcessAndBrowser();

/** Counts the notification tones that the page plays. */
async function countTones({ page }: Visitor): Promise<() => Promise<number>> {
  await page.addInitScript(`
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) {
      globalThis.tones = (globalThis.tones ?? 0) + 1;
      return start.apply(this, when);
    };`);
  await page.reload();
  return () => page.evaluate('globalThis.tones ?? 0');
}

test('a seller imports books, a buyer orders, pays and receives one, and each sees the other’s steps', async () => {
  const seller = await fixture.visit();
  const tones = await countTones(seller);
  const buyer = await fixture.visit({ locale: 'zh-CN', viewport: { width: 390, height: 844 } });

  await seller.register('Lin');
  await seller.openStore('lin-books');
  await seller.importBooks(BOOKS);
  await seller.page.getByText('3 books added, 1 row to fix.').waitFor();
  expect(await seller.page.locator('.problems tbody tr').allInnerTexts()).toEqual([
    '4\tPrice must be an amount such as 45.00',
  ]);
  await seller.go('panel/board');

  await buyer.register('小艾');
  await buyer.topUp('100');
  await buyer.go();
  await buyer.page.getByRole('searchbox').fill('黑暗');
  const found = buyer.page.locator('.book');
  await buyer.page.getByText('找到 1 本').waitFor();
  expect(await found.locator('h2').allInnerTexts()).toEqual(['三体Ⅱ：黑暗森林']);
  await found.getByRole('button', { name: '加入购物车' }).click();
  await buyer.go('cart');
  await buyer.page.getByRole('button', { name: '提交订单：¥32.00' }).click();
  await buyer.page.getByRole('timer').waitFor();
  await buyer.page.getByRole('button', { name: '付款 ¥32.00' }).click();
  await buyer.page.locator('header .status-badge-paid').waitFor();

  await seller.page.getByText('1 new paid order').waitFor();
  expect(await seller.page.title()).toBe('(1) Order hub');
  expect(await tones()).toBeGreaterThan(0);
  const toShip = seller.page.getByRole('region', { name: 'To ship' });
  await toShip.getByRole('checkbox').check();
  expect(await seller.page.title()).toBe('Order hub');
  await seller.page.getByLabel('Carrier').fill('顺丰');
  await seller.page.getByLabel(/Tracking number/).fill('SF1234567890');
  await seller.page.getByRole('button', { name: 'Ship 1 order' }).click();

  await buyer.page.getByText('SF1234567890').waitFor();
  await buyer.page.getByRole('button', { name: '确认收货' }).click();
  await buyer.page.locator('header .status-badge-received').waitFor();

  const done = seller.page.getByRole('region', { name: 'Completed' });
  await done.getByText('Delivered').waitFor();
  expect(await done.locator('.board-card').count()).toBe(1);
  expect(await seller.page.locator('.today .amount').innerText()).toBe('¥32.00');
  await buyer.go('wallet');
  await buyer.page.getByText('¥68.00').first().waitFor();
  expect([...seller.complaints, ...buyer.complaints]).toEqual([]);
});
