import { expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

/** As many as a page of the hub's lists holds, and some. */
const WAITING = 130;
const CONCURRENT_ORDERS = 25;

let buyer: Person;

const fixture = hubAndBrowser(async (hub) => {
  buyer = await hub.buyer(100_000_000, 'ada');
  await buyer.connect();
});

/** Orders that are paid one after the other, in the order of their numbers. */
async function paidOrders(seller: Person, count: number): Promise<Order[]> {
  const orders: Order[] = [];
  for (const index of range(count)) {
    const items = [{ bookId: `book-${1 + (index % 2)}`, count: 1 + (index % 3) }];
    const order = await buyer.place(seller, items);
    await buyer.does('order:pay', { orderId: order.orderId });
    orders.push(order);
  }
  return orders;
}

async function manyPaidOrders(seller: Person, count: number): Promise<void> {
  const queue = range(count).values();
  const worker = async () => {
    for (const _ of queue) {
      const { orderId } = await buyer.place(seller);
      await buyer.does('order:pay', { orderId });
    }
  };
  await Promise.all(range(CONCURRENT_ORDERS).map(worker));
}

async function openDesk(seller: Person): Promise<Visitor> {
  const visitor = await fixture.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel');
  await visitor.page.locator('.desk-row').first().waitFor();
  return visitor;
}

const twoBooks = () => [
  { bookId: 'book-1', title: 'Emma', stock: 10_000 },
  { bookId: 'book-2', title: 'Walden', stock: 10_000 },
];
const names = ({ page }: Visitor) => page.locator('.desk-row .name a').allInnerTexts();
const current = ({ page }: Visitor) => page.locator('.desk-row[data-current] .name a').innerText();
const focused = ({ page }: Visitor) => page.evaluate('document.activeElement.textContent.trim()');
const hasCount = ({ page }: Visitor, view: string, count: number) =>
  page.getByRole('button', { name: `${view} ${count}`, exact: true }).waitFor();
const statusOf = async (seller: Person, { orderId }: Order) =>
  (await seller.get<Order>(`/orders/${orderId}`)).body.status;

test('a seller works the list from the top by keyboard alone: moves, ships, goes on, opens and comes back', async () => {
  const seller = await fixture.hub.seller(twoBooks());
  const orders = await paidOrders(seller, 4);
  const called = orders.map(({ number }) => `#${number}`);
  const visitor = await openDesk(seller);
  await hasCount(visitor, 'To ship', 4);
  expect(await names(visitor)).toEqual(called);

  const { keyboard } = visitor.page;
  await keyboard.press('j');
  expect(await focused(visitor)).toBe(called[0]);
  await keyboard.press('s');
  await visitor.page.getByRole('dialog').waitFor();
  await keyboard.type('RM 1');
  await keyboard.press('Enter');
  await hasCount(visitor, 'To ship', 3);
  await hasCount(visitor, 'Shipped', 1);
  await until('the next order has the focus', async () => (await focused(visitor)) === called[1]);
  expect((await seller.get<Order>(`/orders/${orders[0]?.orderId}`)).body).toMatchObject({
    status: 'shipped',
    trackingNo: 'RM 1',
  });

  await keyboard.press('j');
  expect(await current(visitor)).toBe(called[2]);
  await keyboard.press('k');
  expect(await current(visitor)).toBe(called[1]);
  await keyboard.press('x');
  await visitor.page.getByText('1 order selected').first().waitFor();
  await keyboard.press('Enter');
  await visitor.page.getByRole('heading', { name: `Order ${called[1]}` }).waitFor();
  await visitor.page.goBack();
  await visitor.page.locator('.desk-row').first().waitFor();
  await visitor.page.getByText('1 order selected').first().waitFor();

  await keyboard.press('?');
  const help = visitor.page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await help.getByText('Ship, and go to the next').waitFor();
  await help.getByLabel('Use single-key shortcuts').uncheck();
  await keyboard.press('Escape');
  await keyboard.press('s');
  expect(await visitor.page.getByRole('dialog').count()).toBe(0);
  expect(visitor.complaints).toEqual([]);
});

test('any order is found by number, buyer, title or tracking number, whatever its status', async () => {
  const seller = await fixture.hub.seller(twoBooks());
  const orders = await paidOrders(seller, 6);
  const called = orders.map(({ number }) => `#${number}`);
  await seller.post(`/orders/${orders[2]?.orderId}/ship`, { trackingNo: 'ZX9988' });
  const visitor = await openDesk(seller);
  const find = async (q: string, found: string[]) => {
    await visitor.page.keyboard.press('/');
    await visitor.page.getByLabel('Find an order').fill(q);
    await visitor.page.getByText(`Results for “${q}”`).waitFor();
    await until(`${q} finds ${found}`, async () => (await names(visitor)).join() === found.join());
    await visitor.page.evaluate('document.activeElement.blur()');
  };
  await find('ZX9988', called.slice(2, 3));
  await find('walden', [1, 3, 5].map((index) => called[index] ?? '').reverse());
  await find('ada', [...called].reverse());
  const last = called.at(-1) ?? '';
  await visitor.page.getByLabel('Find an order').fill(last);
  await until(`${last} is found`, async () => {
    const found = await names(visitor);
    return found.length < called.length && found.includes(last);
  });
  await visitor.page.getByLabel('Find an order').fill('nobody');
  await visitor.page.getByText('No orders match “nobody”.').waitFor();
  await visitor.page.getByRole('button', { name: 'To ship 5' }).click();
  expect(await visitor.page.getByLabel('Find an order').inputValue()).toBe('');
});

test('new orders are marked, and the bell leads to them', async () => {
  const seller = await fixture.hub.seller(twoBooks());
  await paidOrders(seller, 1);
  const visitor = await openDesk(seller);
  const [fresh] = (await paidOrders(seller, 1)) as [Order];
  await hasCount(visitor, 'New', 1);
  await visitor.page.getByRole('link', { name: '1 new paid order' }).click();
  await until('the new order alone is listed', async () => (await names(visitor)).join() === `#${fresh.number}`);
  await visitor.page.locator('.new-mark').waitFor();
  await visitor.page.getByRole('button', { name: 'Mark all as read' }).click();
  await visitor.page.getByText('No orders here. Well done.').waitFor();
});

test('every waiting order can be scrolled to and selected, though only those in sight are rendered', async () => {
  const seller = await fixture.hub.seller(twoBooks());
  await manyPaidOrders(seller, WAITING);
  const visitor = await openDesk(seller);
  const all = visitor.page.getByLabel(`Select all ${WAITING}`);
  await all.check();
  await visitor.page.getByRole('link', { name: `Ship ${WAITING}`, exact: true }).waitFor();
  expect(await visitor.page.locator('.desk-row').count()).toBeLessThan(60);
  const seen = new Set<string>();
  await until('every row was in sight', async () => {
    for (const name of await names(visitor)) seen.add(name);
    await visitor.page.mouse.wheel(0, 500);
    return seen.size === WAITING;
  });
  const last = visitor.page.locator(`li[aria-posinset="${WAITING}"] input`);
  expect(await last.isChecked()).toBe(true);
});

test('hundreds are shipped at once from a pasted table, and what was refused can be tried again', async () => {
  const seller = await fixture.hub.seller(twoBooks());
  const [first, second, third, fourth] = (await paidOrders(seller, 4)) as [Order, Order, Order, Order];
  const visitor = await openDesk(seller);
  await visitor.page.getByLabel('Select all 4').check();
  await visitor.page.getByRole('link', { name: 'Ship 4', exact: true }).click();
  // Another device cancels one of them.
  await seller.post(`/orders/${fourth.orderId}/cancel`, {});

  await visitor.page.getByText('Paste tracking numbers').first().click();
  const rows = [
    'Order,Carrier,Tracking',
    `#${first.number},DHL,D-1`,
    `${second.number},"Royal Mail",R-2`,
    `${fourth.orderId},DHL,D-4`,
    '99999,DHL,D-5',
  ];
  await visitor.page.getByRole('textbox', { name: 'Paste tracking numbers' }).fill(rows.join('\n'));
  await visitor.page.getByRole('button', { name: 'Fill in' }).click();
  await visitor.page.getByText('Filled in 3. Not among the selected orders: 99999').waitFor();
  await visitor.page.getByRole('button', { name: 'Ship 4 orders' }).click();
  await visitor.page.getByText('1 order has no tracking number.').waitFor();
  await visitor.page.getByRole('button', { name: 'Go back' }).click();
  await visitor.page.getByLabel(`Tracking number of #${third.number}`).fill('R-3');
  await visitor.page.getByRole('button', { name: 'Ship 4 orders' }).click();
  await visitor.page.getByText('3 of 4 shipped').waitFor();
  await visitor.page.getByText('This order has changed').waitFor();
  await visitor.page.getByRole('button', { name: 'Try 1 again' }).click();
  await visitor.page.getByText('1 failed').waitFor();
  expect(await Promise.all([first, second, third, fourth].map((order) => statusOf(seller, order)))).toEqual([
    ...['shipped', 'shipped', 'shipped', 'cancelled'],
  ]);
  const { body } = await seller.get<Order>(`/orders/${second.orderId}`);
  expect(body).toMatchObject({ carrier: 'Royal Mail', trackingNo: 'R-2' });
  expect(visitor.complaints).toEqual([]);
});

test('300 orders are shipped within five seconds, one scanned number a line', async () => {
  const seller = await fixture.hub.seller(twoBooks());
  await manyPaidOrders(seller, 300);
  const visitor = await openDesk(seller);
  await visitor.page.getByLabel('Select all 300').check();
  await visitor.page.getByRole('link', { name: 'Ship 300', exact: true }).click();
  await visitor.page.getByText('Paste tracking numbers').first().click();
  const numbers = range(300).map((index) => `T-${index}`);
  await visitor.page.getByRole('textbox', { name: 'Paste tracking numbers' }).fill(numbers.join('\n'));
  await visitor.page.getByRole('button', { name: 'Fill in' }).click();
  await visitor.page.getByText('Filled in 300.').waitFor();
  const start = performance.now();
  await visitor.page.getByRole('button', { name: 'Ship 300 orders' }).click();
  await visitor.page.getByText('300 of 300 shipped').waitFor();
  expect(performance.now() - start).toBeLessThan(5_000);
});

test('packing slips carry address, note and barcode, and the pick list adds the copies up', async () => {
  const seller = await fixture.hub.seller(twoBooks());
  const { body: order } = await buyer.post<Order>('/orders', {
    storeId: seller.storeId,
    items: [{ bookId: 'book-1', count: 2 }],
    deliverTo: { name: 'Ada Lovelace', lines: ['12 St James’s Square'] },
    note: 'Please gift-wrap it.',
  });
  await buyer.post(`/orders/${order.orderId}/pay`, {});
  await paidOrders(seller, 3);
  const visitor = await openDesk(seller);
  await visitor.page.getByLabel('Select all 4').check();
  await visitor.page.getByRole('link', { name: 'Packing slips' }).click();
  const slip = visitor.page.locator('.slip').first();
  await slip.getByText('12 St James’s Square').waitFor();
  await slip.getByText('Please gift-wrap it.').waitFor();
  await slip.getByRole('img', { name: String(order.number), exact: true }).waitFor();
  expect(await visitor.page.locator('.slip').count()).toBe(4);
  await visitor.page.emulateMedia({ media: 'print' });
  expect(await visitor.page.locator('header.top').isVisible()).toBe(false);
  await visitor.page.emulateMedia({ media: 'screen' });

  await visitor.go('panel');
  await visitor.page.getByRole('link', { name: 'Pick list' }).click();
  await visitor.page.getByText('8 copies for 4 orders').waitFor();
  const rows = await visitor.page.locator('.slip tbody tr').allInnerTexts();
  expect(rows.map((row) => row.split('\t').slice(1, 3))).toEqual([
    ['6', 'Emma'],
    ['2', 'Walden'],
  ]);
  expect(visitor.complaints).toEqual([]);
});

test('a seller renames the store, pauses it and opens it again', async () => {
  const seller = await fixture.hub.seller();
  const visitor = await fixture.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/settings');
  await visitor.page.getByLabel('Store name').fill('Corner Books');
  await visitor.page.getByLabel('Pause until (optional)').fill('2099-01-01T08:00');
  await visitor.page.getByRole('button', { name: 'Save' }).click();
  await visitor.page.getByRole('heading', { name: 'Corner Books' }).waitFor();
  await visitor.page.getByText('Paused', { exact: true }).waitFor();
  expect((await buyer.isRefused('order:place', placeIn(seller))).code).toBe('STORE_PAUSED');
  await visitor.page.getByLabel('Pause until (optional)').fill('');
  await visitor.page.getByLabel('Time to accept an order, in minutes').fill('5');
  await visitor.page.getByRole('button', { name: 'Save' }).click();
  // The money goes to the seller at once here, so that a hub cannot give it back for an order that is not accepted.
  await visitor.page.locator('.field-error').waitFor();
  await visitor.page.getByLabel('Time to accept an order, in minutes').fill('0');
  await visitor.page.getByRole('button', { name: 'Save' }).click();
  await visitor.page.getByText('Open', { exact: true }).waitFor();
  await buyer.does('order:place', placeIn(seller));
});

const placeIn = ({ storeId }: Person) => ({ storeId, items: [{ bookId: 'book-1', count: 1 }] });
