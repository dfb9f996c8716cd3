import { expect, test } from '@jest/globals';
import type { CDPSession } from 'playwright-core';
import { hubAndBrowser } from '../support/browser.js';
import type { Person } from '../support/person.js';

/** Each order makes four events: placed, paid, shipped, received. */
const EVENTS_PER_ORDER = 4;
const WARM_UP_ORDERS = 700;
const ORDERS = 2_500;
const CONCURRENT_ORDERS = 50;
const GROWTH_BYTES_MAX = 4 * 1_024 * 1_024;

const fixture = hubAndBrowser();

/** Takes orders through the whole lifecycle, concurrently. */
async function trade(buyer: Person, seller: Person, orders: number): Promise<void> {
  const items = [{ bookId: 'book-1', count: 1 }];
  const remaining = Array.from({ length: orders }).values();
  const work = async () => {
    for (const _ of remaining) {
      const { orderId } = await buyer.does('order:place', { storeId: seller.storeId, items });
      await buyer.does('order:pay', { orderId });
      await seller.does('order:ship', { orderId });
      await buyer.does('order:receive', { orderId });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_ORDERS }, work));
}

/** The page's heap after a garbage collection. */
async function heapBytes(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return usedSize;
}

test('the panel’s heap does not grow over 10,000 events', async () => {
  const seller = await fixture.hub.seller([{ stock: 1_000_000, price: 100 }]);
  const buyer = await fixture.hub.buyer(100_000_000);
  await Promise.all([buyer.connect(), seller.connect()]);
  const visitor = await fixture.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/board');
  const devtools = await visitor.page.context().newCDPSession(visitor.page);
  const paid = (orders: number) => visitor.page.getByText(`· ${orders} orders paid`).waitFor({ timeout: 60_000 });

  await trade(buyer, seller, WARM_UP_ORDERS);
  await paid(WARM_UP_ORDERS);
  const before = await heapBytes(devtools);
  await trade(buyer, seller, ORDERS - WARM_UP_ORDERS);
  await paid(ORDERS);
  const after = await heapBytes(devtools);

  expect(ORDERS * EVENTS_PER_ORDER).toBe(10_000);
  expect(after - before).toBeLessThan(GROWTH_BYTES_MAX);
  await visitor.page.getByText('0 new paid orders').waitFor();
  // The panel has dropped most orders and shows that there are more.
  const done = visitor.page.getByRole('region', { name: 'Completed' }).locator('.count');
  await done.filter({ hasText: /^[45]\d\d shown$/ }).waitFor({ timeout: 60_000 });
}, 280_000);
