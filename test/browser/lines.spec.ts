import { expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser } from '../support/browser.js';
import { PrefixProxy } from '../support/prefix.proxy.js';
import { TcpProxy } from '../support/proxy.js';

const fixture = hubAndBrowser();

test('a disconnected page shows its state, and after reconnecting the number of missed changes', async () => {
  const seller = await fixture.hub.seller();
  const buyer = await fixture.hub.buyer();
  const place = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
  const { body: order } = await buyer.post<Order>('/orders', place);

  const proxy = await TcpProxy.before(fixture.hub.url);
  await proxy.open();
  const visitor = await fixture.visit({ url: proxy.url });
  await visitor.comeAs(buyer);
  await visitor.go(`orders/${order.orderId}`);
  await visitor.page.getByRole('timer').waitFor();

  await proxy.close();
  await visitor.page.getByText('Connection lost.').waitFor();
  await buyer.post(`/orders/${order.orderId}/pay`, {});
  await seller.post(`/orders/${order.orderId}/ship`, { carrier: 'DHL', trackingNo: 'JD014600003' });
  expect(await visitor.page.locator('header .status-badge-placed').count()).toBe(1);

  await proxy.open();
  await visitor.page.getByText('Back online. 2 updates while you were away.').waitFor();
  await visitor.page.getByText('JD014600003').waitFor();
  expect(await visitor.page.locator('.timeline strong').allInnerTexts()).toEqual(['Ordered', 'Paid', 'Shipped']);
  await visitor.page.getByRole('button', { name: 'Dismiss' }).click();
  expect(await visitor.page.locator('.connection-notice').innerText()).toBe('');
  await proxy.close();
});

test('a screen that was opened while disconnected appears once the hub is back', async () => {
  const seller = await fixture.hub.seller();
  const proxy = await TcpProxy.before(fixture.hub.url);
  await proxy.open();
  const visitor = await fixture.visit({ url: proxy.url });
  await visitor.comeAs(seller);
  await proxy.close();
  await visitor.go('panel');
  await visitor.page.getByText('Loading…').waitFor();
  await visitor.page.getByText('Connection lost.').waitFor();
  await proxy.open();
  await visitor.page.locator('.desk-filters').waitFor();
  await proxy.close();
});

test('a part of a screen that cannot be loaded while disconnected leaves the rest in sight, and comes with the next page', async () => {
  const buyer = await fixture.hub.buyer();
  const proxy = await TcpProxy.before(fixture.hub.url);
  await proxy.open();
  const visitor = await fixture.visit({ url: proxy.url, serviceWorkers: 'block' });
  await visitor.comeAs(buyer);
  await proxy.close();
  const failed = visitor.page.waitForEvent('requestfailed', (request) => request.url().includes('/push.switch'));
  await visitor.go('orders');
  await failed;
  await visitor.page.getByText('Connection lost.').waitFor();
  await visitor.page.getByRole('heading', { name: 'Your orders' }).waitFor();
  await proxy.open();
  // Some browsers remember for the life of a page that a module could not be fetched.
  await visitor.page.reload();
  await visitor.page.locator('.push-switch').waitFor();
  await proxy.close();
});

test('the pages work behind a path prefix', async () => {
  const seller = await fixture.hub.seller([{ title: 'Middlemarch', price: 4_200 }]);
  const prefixed = await PrefixProxy.before(fixture.hub.url, '/shop/hub');
  const visitor = await fixture.visit({ url: prefixed.url });
  await visitor.register('below');
  await visitor.topUp('50');
  await visitor.go(`store/${seller.storeId}`);
  await visitor.page.getByRole('button', { name: 'Add to cart' }).click();
  await visitor.go('cart');
  await visitor.page.getByRole('button', { name: 'Place order: ¥42.00' }).click();
  await visitor.page.getByRole('button', { name: 'Pay ¥42.00' }).click();
  await visitor.page.locator('header .status-badge-paid').waitFor();
  expect(visitor.complaints).toEqual([]);
  await prefixed.close();
});

test('the API documentation works behind a path prefix', async () => {
  const prefixed = await PrefixProxy.before(fixture.hub.url, '/shop/hub');
  const { page, complaints } = await fixture.visit({ url: prefixed.url });
  await page.goto(`${prefixed.url}/docs`);
  // The CSP admits its style, and the table of contents links within the page.
  expect(await page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight")).toBe('600');
  await page.getByRole('navigation').getByRole('link', { name: 'order:place', exact: true }).click();
  expect(await page.locator('article:target h4').innerText()).toBe('order:place');
  expect(page.url()).toBe(`${prefixed.url}/docs#message-order.place`);
  for (const name of ['openapi.json', 'asyncapi.json']) {
    const url = await page.getByRole('link', { name, exact: true }).evaluate(({ href }: { href: string }) => href);
    const document = await page.request.get(url);
    expect(document.url()).toBe(`${prefixed.url}/${name}`);
    expect(document.status()).toBe(200);
  }
  expect(complaints).toEqual([]);
  await prefixed.close();
});

test('a buyer short of money sees the difference, and tops up and pays in one step', async () => {
  const seller = await fixture.hub.seller([{ price: 3_000 }]);
  const buyer = await fixture.hub.buyer(1_000);
  const place = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
  const { body: order } = await buyer.post<Order>('/orders', place);
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  await visitor.go(`orders/${order.orderId}`);
  await visitor.page.getByRole('button', { name: 'Pay ¥30.00' }).click();
  await visitor.page.getByRole('button', { name: 'Top up ¥20.00 and pay' }).click();
  await visitor.page.locator('header .status-badge-paid').waitFor();
  await visitor.go('wallet');
  await visitor.page.locator('.balance .amount').getByText('¥0.00').waitFor();
});

test('a changed price rejects the order and is shown', async () => {
  const seller = await fixture.hub.seller([{ price: 3_000 }]);
  const visitor = await fixture.visit();
  await visitor.comeAs(await fixture.hub.buyer());
  await visitor.go(`store/${seller.storeId}`);
  await visitor.page.getByRole('button', { name: 'Add to cart' }).click();
  await visitor.go('cart');
  await visitor.page.getByRole('button', { name: 'Place order: ¥30.00' }).waitFor();
  await seller.patch(`/stores/${seller.storeId}/books/book-1`, { price: 3_500 });
  await visitor.page.getByRole('button', { name: 'Place order: ¥30.00' }).click();
  await visitor.page.getByText('your total is now ¥35.00, not ¥30.00. Place the order again to accept it.').waitFor();
  await visitor.page.getByRole('button', { name: 'Place order: ¥35.00' }).click();
  await visitor.page.getByRole('button', { name: 'Pay ¥35.00' }).waitFor();
});
