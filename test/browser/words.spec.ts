import process from 'node:process';
import { expect, test } from '@jest/globals';
import { hubProcessAndBrowser, type Visitor } from '../support/browser.js';

const fixture = hubProcessAndBrowser();
const BOOKS = '编号,书名,作者,价格,库存\nfrog,蛙,莫言,35.00,6';

/** For somebody to look at, if a folder is given. */
async function shoot({ page }: Visitor, name: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

test('a buyer says where to and a word, the seller reads both and answers, each in their language', async () => {
  const seller = await fixture.visit();
  const buyer = await fixture.visit({ locale: 'zh-CN', viewport: { width: 390, height: 844 } });
  await seller.register('Lin');
  await seller.openStore('lin-books');
  await seller.importBooks(BOOKS);
  await seller.page.getByText('1 book added.').waitFor();
  await seller.go('panel/board');

  await buyer.register('小艾');
  await buyer.topUp('100');
  await buyer.go();
  await buyer.page.locator('.book').getByRole('button', { name: '加入购物车' }).click();
  await buyer.go('cart');
  await buyer.page.getByLabel('收货人').fill('艾小姐');
  await buyer.page.getByRole('button', { name: '提交订单：¥35.00' }).click();
  await buyer.page.getByText('请填写收货人和详细地址').waitFor();
  await buyer.page.getByLabel('详细地址').fill('南京东路 100 号\n3 单元 502');
  await buyer.page.getByLabel('国家或地区').selectOption('CN');
  await buyer.page.getByLabel('电话').fill('021 5555 0100');
  await buyer.page.getByLabel('给卖家留言（选填）').fill('请包装好');
  await shoot(buyer, 'cart.zh');
  await buyer.page.getByRole('button', { name: '提交订单：¥35.00' }).click();
  await buyer.page.getByText('请包装好').waitFor();
  await buyer.page.getByText('南京东路 100 号').waitFor();
  await buyer.page.getByRole('button', { name: '付款 ¥35.00' }).click();
  await buyer.page.locator('header .status-badge-paid').waitFor();

  const card = seller.page.locator('.board-card');
  await card.getByText('3 单元 502').waitFor();
  await card.getByText('请包装好').first().waitFor();
  await card.getByText('Messages (1)').click();
  await card.getByLabel('Write a message').fill('It is on its way.');
  await shoot(seller, 'board.en');
  await card.getByRole('button', { name: 'Send' }).click();
  await buyer.page.getByText('It is on its way.').waitFor();
  await shoot(buyer, 'order.zh');

  await buyer.page.reload();
  await buyer.page.getByText('It is on its way.').waitFor();
  await buyer.go();
  await buyer.page.locator('.book').getByRole('button', { name: '加入购物车' }).click();
  await buyer.go('cart');
  expect(await buyer.page.getByRole('radio', { name: '南京东路 100 号, 3 单元 502' }).isChecked()).toBe(true);
  expect(await buyer.page.getByLabel('给卖家留言（选填）').inputValue()).toBe('');
});
