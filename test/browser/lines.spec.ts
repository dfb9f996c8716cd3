import { expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser } from '../support/browser.js';
import { PrefixProxy } from '../support/prefix.proxy.js';
import { TcpProxy } from '../support/proxy.js';

const stage = hubAndBrowser();

test('a page whose line was cut says so, and afterwards how many changes came in meanwhile', async () => {
  const seller = await stage.hub.seller();
  const buyer = await stage.hub.buyer();
  const place = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
  const { body: order } = await buyer.post<Order>('/orders', place);

  const line = await TcpProxy.before(stage.hub.url);
  await line.open();
  const visitor = await stage.visit({ url: line.url });
  await visitor.comeAs(buyer);
  await visitor.go(`orders/${order.orderId}`);
  await visitor.page.getByRole('timer').waitFor();

  await line.close();
  await visitor.page.getByText('The hub is out of reach.').waitFor();
  await buyer.post(`/orders/${order.orderId}/pay`, {});
  await seller.post(`/orders/${order.orderId}/ship`, { carrier: 'DHL', trackingNo: 'JD014600003' });
  expect(await visitor.page.locator('header .stamp-placed').count()).toBe(1);

  await line.open();
  await visitor.page.getByText('Back again. 2 changes came in meanwhile.').waitFor();
  await visitor.page.getByText('JD014600003').waitFor();
  expect(await visitor.page.locator('.timeline strong').allInnerTexts()).toEqual(['Unpaid', 'Paid', 'On its way']);
  await visitor.page.getByRole('button', { name: 'Dismiss' }).click();
  expect(await visitor.page.locator('.line-notice').innerText()).toBe('');
  await line.close();
});

test('the pages work below the folder in which a web server shows the hub', async () => {
  const seller = await stage.hub.seller([{ title: 'Middlemarch', price: 4_200 }]);
  const folder = await PrefixProxy.before(stage.hub.url, '/shop/hub');
  const visitor = await stage.visit({ url: folder.url });
  await visitor.register('below');
  await visitor.topUp('50');
  await visitor.go(`store/${seller.storeId}`);
  await visitor.page.getByRole('button', { name: 'Add to cart' }).click();
  await visitor.go('cart');
  await visitor.page.getByRole('button', { name: 'Place the order: ¥42.00' }).click();
  await visitor.page.getByRole('button', { name: 'Pay ¥42.00' }).click();
  await visitor.page.locator('header .stamp-paid').waitFor();
  expect(visitor.complaints).toEqual([]);
  await folder.close();
});

test('the page of the API documents works below the folder too', async () => {
  const folder = await PrefixProxy.before(stage.hub.url, '/shop/hub');
  const { page, complaints } = await stage.visit({ url: folder.url });
  await page.goto(`${folder.url}/docs`);
  // Its style is let in by the policy, and its contents lead to places of the page.
  expect(await page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight")).toBe('600');
  await page.getByRole('navigation').getByRole('link', { name: 'order:place', exact: true }).click();
  expect(await page.locator('article:target h4').innerText()).toBe('order:place');
  expect(page.url()).toBe(`${folder.url}/docs#message-order.place`);
  for (const name of ['openapi.json', 'asyncapi.json']) {
    const address = await page.getByRole('link', { name, exact: true }).evaluate(({ href }: { href: string }) => href);
    const document = await page.request.get(address);
    expect(document.url()).toBe(`${folder.url}/${name}`);
    expect(document.status()).toBe(200);
  }
  expect(complaints).toEqual([]);
  await folder.close();
});

test('who is short of money is told how much is missing, and tops up and pays with one press', async () => {
  const seller = await stage.hub.seller([{ price: 3_000 }]);
  const buyer = await stage.hub.buyer(1_000);
  const place = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
  const { body: order } = await buyer.post<Order>('/orders', place);
  const visitor = await stage.visit();
  await visitor.comeAs(buyer);
  await visitor.go(`orders/${order.orderId}`);
  await visitor.page.getByRole('button', { name: 'Pay ¥30.00' }).click();
  await visitor.page.getByRole('button', { name: 'Top up ¥20.00 and pay' }).click();
  await visitor.page.locator('header .stamp-paid').waitFor();
  await visitor.go('wallet');
  await visitor.page.locator('.balance .amount').getByText('¥0.00').waitFor();
});

test('a price that has changed since it was shown orders nothing, and shows the new one', async () => {
  const seller = await stage.hub.seller([{ price: 3_000 }]);
  const visitor = await stage.visit();
  await visitor.comeAs(await stage.hub.buyer());
  await visitor.go(`store/${seller.storeId}`);
  await visitor.page.getByRole('button', { name: 'Add to cart' }).click();
  await visitor.go('cart');
  await visitor.page.getByRole('button', { name: 'Place the order: ¥30.00' }).waitFor();
  await seller.patch(`/stores/${seller.storeId}/books/book-1`, { price: 3_500 });
  await visitor.page.getByRole('button', { name: 'Place the order: ¥30.00' }).click();
  await visitor.page.getByText('the total is ¥35.00, not ¥30.00. Nothing was ordered.').waitFor();
  await visitor.page.getByRole('button', { name: 'Place the order: ¥35.00' }).click();
  await visitor.page.getByRole('button', { name: 'Pay ¥35.00' }).waitFor();
});
