import { expect, test } from '@jest/globals';
import type { CDPSession } from 'playwright-core';
import { hubAndBrowser } from '../support/browser.js';
import type { Person } from '../support/person.js';

/** Each order makes four events: placed, paid, shipped, received. */
const EVENTS_PER_ORDER = 4;
const WARM_UP_ORDERS = 700;
const ORDERS = 2_500;
const AT_ONCE = 50;
const GROWTH_BYTES_MAX = 4 * 1_024 * 1_024;

const stage = hubAndBrowser();

/** A market that trades: so many orders, each through its whole life. */
async function trade(buyer: Person, seller: Person, orders: number): Promise<void> {
  const items = [{ bookId: 'book-1', count: 1 }];
  const left = Array.from({ length: orders }).values();
  const work = async () => {
    for (const _ of left) {
      const { orderId } = await buyer.does('order:place', { storeId: seller.storeId, items });
      await buyer.does('order:pay', { orderId });
      await seller.does('order:ship', { orderId });
      await buyer.does('order:receive', { orderId });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** What the page holds when all that nobody needs is swept out. */
async function heldBytes(debuggerOfPage: CDPSession): Promise<number> {
  await debuggerOfPage.send('HeapProfiler.collectGarbage');
  const { usedSize } = await debuggerOfPage.send('Runtime.getHeapUsage');
  return usedSize;
}

test('the panel holds no more after 10,000 events than after a few', async () => {
  const seller = await stage.hub.seller([{ stock: 1_000_000, price: 100 }]);
  const buyer = await stage.hub.buyer(100_000_000);
  await Promise.all([buyer.connect(), seller.connect()]);
  const visitor = await stage.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/board');
  const debuggerOfPage = await visitor.page.context().newCDPSession(visitor.page);
  const paid = (orders: number) => visitor.page.getByText(`· ${orders} orders paid`).waitFor({ timeout: 60_000 });

  await trade(buyer, seller, WARM_UP_ORDERS);
  await paid(WARM_UP_ORDERS);
  const before = await heldBytes(debuggerOfPage);
  await trade(buyer, seller, ORDERS - WARM_UP_ORDERS);
  await paid(ORDERS);
  const after = await heldBytes(debuggerOfPage);

  expect(ORDERS * EVENTS_PER_ORDER).toBe(10_000);
  expect(after - before).toBeLessThan(GROWTH_BYTES_MAX);
  await visitor.page.getByText('0 new paid orders').waitFor();
  // It has forgotten most of them, and says that there are more.
  const done = visitor.page.getByRole('region', { name: 'Done' }).locator('.count');
  await done.filter({ hasText: /^[45]\d\d\+$/ }).waitFor({ timeout: 60_000 });
}, 280_000);
