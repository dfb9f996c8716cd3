import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Worker } from 'playwright-core';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type BrowserSubscription, PushEndpoint } from '../support/push.endpoint.js';

const SWITCH = '.push-switch button';

interface Shown {
  title: string;
  body: string;
  tag: string;
}

describe('push messages in a browser', () => {
  const fixture = hubAndBrowser(undefined, { webhooksPrivate: true });
  let endpoint: PushEndpoint;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    endpoint = await PushEndpoint.start();
    seller = await fixture.hub.seller([{ stock: 100 }]);
    buyer = await fixture.hub.buyer();
  });
  afterAll(async () => {
    expect(endpoint.faults).toEqual([]);
    await endpoint.stop();
  });

  async function pay(): Promise<Order> {
    const request = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
    const { body } = await buyer.post<Order>('/orders', request);
    return (await buyer.post<Order>(`/orders/${body.orderId}/pay`, {})).body;
  }

  /** A browser whose push service is the test's own: Chromium's cannot be reached from everywhere. */
  async function visitSubscribedBy(browser: BrowserSubscription, locale = 'en'): Promise<Visitor> {
    const visitor = await fixture.visit({ permissions: ['notifications'], locale });
    await visitor.page.addInitScript(`
      const subscription = { toJSON: () => (${JSON.stringify(browser.toJSON())}), unsubscribe: async () => true };
      let current = null;
      Object.assign(PushManager.prototype, {
        getSubscription: async () => current,
        subscribe: async () => (current = subscription),
      });
    `);
    await visitor.comeAs(seller);
    return visitor;
  }

  async function workerOf({ page }: Visitor): Promise<Worker> {
    const [worker] = page.context().serviceWorkers();
    return worker ?? page.context().waitForEvent('serviceworker');
  }

  /** Hands a decrypted message to the service worker, as the browser does. */
  async function deliver({ page, url }: Visitor, data: string): Promise<void> {
    const session = await page.context().newCDPSession(page);
    const registered = new Promise<string>((resolve) => {
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const [registration] = registrations.filter(({ scopeURL }) => scopeURL.startsWith(url));
        if (registration) resolve(registration.registrationId);
      });
    });
    await session.send('ServiceWorker.enable');
    const registrationId = await registered;
    await session.send('ServiceWorker.deliverPushMessage', { origin: url, registrationId, data });
    await session.detach();
  }

  const shownBy = (worker: Worker): Promise<Shown[]> =>
    worker.evaluate(`registration.getNotifications().then((shown) =>
      shown.map(({ title, body, tag }) => ({ title, body, tag })))`);

  test('arrive while the panel is closed, and lead to the order', async () => {
    const browser = endpoint.browser();
    const visitor = await visitSubscribedBy(browser);
    const { page } = visitor;
    await visitor.go('panel');
    await page.locator(SWITCH, { hasText: ': off' }).click();
    await page.locator(SWITCH, { hasText: ': on' }).waitFor();
    await page.goto('about:blank');
    const order = await pay();
    await until('the push arrives', () => endpoint.sentTo(browser).length === 1);
    const [push] = endpoint.sentTo(browser);
    expect(push?.message).toMatchObject({ kind: 'paid', orderId: order.orderId, status: 'paid' });

    await visitor.go('wallet');
    const worker = await workerOf(visitor);
    await deliver(visitor, push?.text ?? '');
    await until('it is shown', async () => (await shownBy(worker)).length === 1);
    const shown = { title: 'New paid order', body: `Order ${order.number} · ${seller.storeId}` };
    expect(await shownBy(worker)).toEqual([{ ...shown, tag: `order ${order.orderId}` }]);
    await deliver(visitor, JSON.stringify({ ...push?.message, storeName: 'Corner Books' }));
    const isNext = async () => (await shownBy(worker)).every(({ body }) => body.endsWith('Corner Books'));
    await until('the next is shown', isNext);
    expect(await shownBy(worker)).toHaveLength(1);

    await worker.evaluate(`registration.getNotifications().then(([notification]) => {
      dispatchEvent(new NotificationEvent('notificationclick', { notification }));
    })`);
    await page.waitForURL(`${visitor.url}/#/orders/${order.orderId}`);
    await until('it is closed', async () => (await shownBy(worker)).length === 0);
    expect(visitor.complaints).toEqual([]);
  });

  test('speak the language that the page speaks, and stop with the switch', async () => {
    const browser = endpoint.browser();
    const visitor = await visitSubscribedBy(browser, 'zh-CN');
    await visitor.go('orders');
    await visitor.page.locator(SWITCH, { hasText: '关' }).click();
    await visitor.page.locator(SWITCH, { hasText: '开' }).waitFor();
    const worker = await workerOf(visitor);
    const message = { kind: 'shipped', orderId: 'an-order', number: null, storeId: 'books', storeName: '街角书店' };
    await deliver(visitor, JSON.stringify(message));
    await until('it is shown', async () => (await shownBy(worker)).length === 1);
    expect((await shownBy(worker))[0]).toMatchObject({ title: '您的订单已发货', body: '街角书店' });
    await visitor.page.locator(SWITCH).click();
    await visitor.page.locator(SWITCH, { hasText: '关' }).waitFor();
    const kept = 'SELECT 1 FROM push_subscriptions WHERE endpoint = ?';
    expect(await fixture.hub.rows(kept, [browser.endpoint])).toEqual([]);
  });

  test('end at a logout: who comes next reads nothing of it', async () => {
    const browser = endpoint.browser();
    const visitor = await visitSubscribedBy(browser);
    await visitor.go('orders');
    await visitor.page.locator(SWITCH).click();
    await visitor.page.locator(SWITCH, { hasText: ': on' }).waitFor();
    await visitor.page.locator('.tools .quiet-button').click();
    const kept = () => fixture.hub.rows('SELECT 1 FROM push_subscriptions WHERE endpoint = ?', [browser.endpoint]);
    await until('the hub has deleted it', async () => (await kept()).length === 0);
  });

  test('are blocked where notifications are', async () => {
    const visitor = await fixture.visit();
    await visitor.page.addInitScript("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })");
    await visitor.comeAs(buyer);
    await visitor.go('orders');
    await visitor.page.locator(`${SWITCH}:disabled`, { hasText: ': blocked' }).waitFor();
  });

  test('come with a page that opens without the hub', async () => {
    const visitor = await fixture.visit();
    const worker = await workerOf(visitor);
    const keptBy = (): Promise<string[]> =>
      worker.evaluate(`caches.open('order-hub-shell').then((shell) => shell.keys()).then((keys) =>
        keys.map(({ url }) => new URL(url).pathname))`);
    await until('the page is kept', async () => (await keptBy()).length >= 5);
    expect((await keptBy()).filter((path) => path !== '/' && !path.startsWith('/assets/'))).toEqual([]);
    await visitor.page.context().setOffline(true);
    await visitor.page.reload();
    await visitor.page.locator('.brand').waitFor();
    // Screens that were never opened are there too.
    await visitor.go('cart');
    await visitor.page.getByText('Your cart is empty.').waitFor();
  });
});
