import { expect, test } from '@jest/globals';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

/** Four pages of the hub, the last one not full. */
const TO_SHIP = 368;
const ON_THE_WAY = 45;
const AWAITING_PAYMENT = 205;
const BOOKS = 110;
const LOW_BOOKS = 130;
/** A sale: every order of it waits. */
const MANY = 5_000;
const CONCURRENT_ORDERS = 50;

let seller: Person;
let buyer: Person;
/** In the order of payment, which is not the order of placing. */
let paid: string[];

const fixture = hubAndBrowser(async (hub) => {
  const last = { title: 'The last on the shelf', stock: 2 };
  seller = await hub.seller([...range(BOOKS).map(() => ({ stock: 1_000 })), last]);
  buyer = await hub.buyer(100_000_000);
  await Promise.all([buyer.connect(), seller.connect()]);
  const orders = await placeOrders(buyer, seller, TO_SHIP + ON_THE_WAY + AWAITING_PAYMENT);
  const shipped = orders.splice(0, ON_THE_WAY);
  // The newest order is paid first.
  paid = orders.splice(0, TO_SHIP).reverse();
  const [longestWaiting = '', ...others] = paid;
  await buyer.does('order:pay', { orderId: longestWaiting });
  await inParallel([...shipped, ...others], (orderId) => buyer.does('order:pay', { orderId }));
  await inParallel(shipped, (orderId) => seller.does('order:ship', { orderId }));
});

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const remaining = items.values();
  const worker = async () => {
    for (const item of remaining) await work(item);
  };
  await Promise.all(range(CONCURRENT_ORDERS).map(worker));
}

/** Places orders and returns their ids, oldest first. */
async function placeOrders(by: Person, { storeId }: Person, count: number): Promise<string[]> {
  const ids: string[] = [];
  await inParallel(range(count), async () => {
    const { orderId } = await by.does('order:place', { storeId, items: [{ bookId: 'book-1', count: 1 }] });
    ids.push(orderId);
  });
  return ids.sort();
}

async function openBoard(person: Person): Promise<Visitor> {
  const visitor = await fixture.visit();
  await visitor.comeAs(person);
  await visitor.go('panel/board');
  return visitor;
}

async function openDesk(person: Person): Promise<Visitor> {
  const visitor = await fixture.visit();
  await visitor.comeAs(person);
  await visitor.go('panel');
  return visitor;
}

const column = ({ page }: Visitor, name: string) => page.getByRole('region', { name });
const hasCount = (visitor: Visitor, name: string, count: string) =>
  column(visitor, name).locator('.count').getByText(count, { exact: true }).waitFor();
const cards = (visitor: Visitor, name: string) => column(visitor, name).locator('.board-card');

/** What the cards call these orders. */
async function namesOf(orderIds: readonly string[]): Promise<string[]> {
  const rows = await fixture.hub.rows<{ order_id: string; number: number }>('SELECT order_id, number FROM orders');
  const numbers = new Map(rows.map((row) => [row.order_id, row.number]));
  return orderIds.map((orderId) => `#${numbers.get(orderId)}`);
}

/** A seller with one book that everybody wants. */
const sellerOfMany = (hub: TestHub) => hub.seller([{ stock: 1_000_000, price: 100 }]);

test('the board loads every waiting order, longest wait first, and pages through the others', async () => {
  const visitor = await openBoard(seller);
  await hasCount(visitor, 'To ship', String(TO_SHIP));
  await hasCount(visitor, 'Awaiting payment', String(AWAITING_PAYMENT));
  await cards(visitor, 'To ship')
    .nth(TO_SHIP - 1)
    .waitFor();
  const shown = await cards(visitor, 'To ship').locator('header strong').first().innerText();
  const names = await namesOf(paid);
  expect(shown).toBe(names[0]);
  const waiting = await cards(visitor, 'To ship').locator('header .check').allTextContents();
  expect(new Set(waiting)).toEqual(new Set(names));

  await hasCount(visitor, 'Shipped', '20 shown');
  await column(visitor, 'Shipped').getByRole('button', { name: 'Load more' }).click();
  await hasCount(visitor, 'Shipped', '40 shown');
  await column(visitor, 'Shipped').getByRole('button', { name: 'Load more' }).click();
  await hasCount(visitor, 'Shipped', String(ON_THE_WAY));
  expect(await column(visitor, 'Shipped').getByRole('button', { name: 'Load more' }).count()).toBe(0);
  expect(await visitor.page.getByText('+').count()).toBe(0);
  expect(visitor.complaints).toEqual([]);
});

test('the buyer’s unpaid orders are loaded to the end, longest wait first', async () => {
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  await visitor.go('orders?status=placed');
  const orders = visitor.page.locator('.orders .order header a');
  await orders.nth(AWAITING_PAYMENT - 1).waitFor();
  expect(await orders.allTextContents()).toEqual(
    (await namesOf(await unpaidOldestFirst())).map((name) => `Order ${name}`),
  );
});

async function unpaidOldestFirst(): Promise<string[]> {
  const rows = await fixture.hub.rows<{ order_id: string }>(
    "SELECT order_id FROM orders WHERE buyer_id = ? AND status = 'placed' ORDER BY placed_at, order_id",
    [buyer.userId],
  );
  return rows.map(({ order_id: orderId }) => orderId);
}

test('orders paid while the lists load are counted, each once', async () => {
  const busy = await sellerOfMany(fixture.hub);
  const orders = await placeOrders(buyer, busy, TO_SHIP);
  const payAll = inParallel(orders, (orderId) => buyer.does('order:pay', { orderId }));
  const visitor = await openBoard(busy);
  await payAll;
  await hasCount(visitor, 'To ship', String(TO_SHIP));
  await hasCount(visitor, 'Awaiting payment', '0');
});

test('every paid order is shipped by one click, also those beyond the first pages', async () => {
  const visitor = await openBoard(seller);
  await hasCount(visitor, 'To ship', String(TO_SHIP));
  // Half of them elsewhere, while the board is open.
  const [elsewhere, here] = [paid.slice(0, TO_SHIP / 2), paid.slice(TO_SHIP / 2)];
  await inParallel(elsewhere, (orderId) => seller.does('order:ship', { orderId }));
  await hasCount(visitor, 'To ship', String(here.length));
  await column(visitor, 'To ship').getByLabel('Select all').check();
  await visitor.page.getByRole('button', { name: `Ship ${here.length} orders` }).click();
  await hasCount(visitor, 'To ship', '0');
  await column(visitor, 'To ship').getByText('Nothing here yet').waitFor();
  const [left] = await fixture.hub.rows<{ orders: number }>(
    "SELECT COUNT(*) AS orders FROM orders WHERE seller_id = ? AND status = 'paid'",
    [seller.userId],
  );
  expect(Number(left?.orders)).toBe(0);
  expect(visitor.complaints).toEqual([]);
});

test('the bell counts every unseen order', async () => {
  const busy = await sellerOfMany(fixture.hub);
  const visitor = await openBoard(busy);
  const orders = await placeOrders(buyer, busy, TO_SHIP);
  await inParallel(orders, (orderId) => buyer.does('order:pay', { orderId }));
  await visitor.page.getByText(`${TO_SHIP} new paid orders`).waitFor();
  expect(await visitor.page.title()).toContain(`(${TO_SHIP})`);
});

test('the desk and the board show thousands of waiting orders, and ship them', async () => {
  const busy = await sellerOfMany(fixture.hub);
  const orders = await placeOrders(buyer, busy, MANY);
  await inParallel(orders, (orderId) => buyer.does('order:pay', { orderId }));
  const desk = await openDesk(busy);
  await desk.page.getByLabel(`Select all ${MANY}`).check({ timeout: 60_000 });
  await desk.page.getByRole('link', { name: `Ship ${MANY}`, exact: true }).waitFor();
  await desk.page.keyboard.press('End');
  await desk.page.locator(`li[aria-posinset="${MANY}"] input:checked`).waitFor();
  expect(await desk.page.locator('.desk-row').count()).toBeLessThan(60);
  await desk.page.context().close();
  const visitor = await openBoard(busy);
  // Plain CSS: computing roles over thousands of cards takes the browser longer than the page itself.
  const count = (orders: number, timeout = 30_000) =>
    visitor.page.locator('.column-paid h2 .count').getByText(String(orders), { exact: true }).waitFor({ timeout });
  await count(MANY);
  await visitor.page.locator(`.column-paid > ul > li:nth-child(${MANY})`).waitFor();
  await visitor.page.locator('.column-paid > .check input').check();
  await visitor.page.locator('.ship button').getByText(`Ship ${MANY} orders`).click();
  await count(0, 90_000);
  expect(visitor.complaints).toEqual([]);
}, 300_000);

test('a book low on stock is listed, whatever its position, and links to its row', async () => {
  const visitor = await openBoard(seller);
  const low = visitor.page.getByRole('region', { name: 'Low stock' });
  await low.getByText('2 left').waitFor();
  await low.getByRole('link', { name: 'The last on the shelf' }).click();
  await visitor.page.locator('.shelf-row').waitFor();
  expect(await visitor.page.locator('.shelf-row strong').allInnerTexts()).toEqual(['The last on the shelf']);
});

test('every book low on stock is counted and listed', async () => {
  const visitor = await openBoard(await fixture.hub.seller(range(LOW_BOOKS).map(() => ({ stock: 1 }))));
  await hasCount(visitor, 'Low stock', String(LOW_BOOKS));
  await visitor.page
    .locator('.low-stock li')
    .nth(LOW_BOOKS - 1)
    .waitFor();
});
