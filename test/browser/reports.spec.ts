import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { Download, Locator } from 'playwright-core';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { Person } from '../support/person.js';

const fixture = hubAndBrowser();

/** Far from the hub's and the tests' own, so that a day of another zone would be noticed. */
const ZONE = 'Pacific/Auckland';
const DAY_MS = 86_400_000;

async function marketOf(): Promise<{ buyer: Person; seller: Person }> {
  return {
    buyer: await fixture.hub.buyer(100_000),
    seller: await fixture.hub.seller([{ title: '活着', price: 3_200, stock: 50 }]),
  };
}

async function paidOrder(buyer: Person, seller: Person, count = 1): Promise<Order> {
  const { orderId } = await buyer.place(seller, [{ bookId: 'book-1', count }]);
  return buyer.does('order:pay', { orderId });
}

/** Moves a sale's money into the past. */
async function backdate(seller: Person, orderId: string, at: number): Promise<void> {
  const { writer } = fixture.hub.database;
  const sql = 'UPDATE wallet_entries SET at = ? WHERE user_id = ? AND order_id = ?';
  await writer.query(sql, [at, seller.userId, orderId]);
}

async function open(person: Person, screen = 'panel/reports', locale = 'en'): Promise<Visitor> {
  const visitor = await fixture.visit({ timezoneId: ZONE, locale });
  await visitor.comeAs(person);
  await visitor.go(screen);
  return visitor;
}

const sum = ({ page }: Visitor, name: string) =>
  page.locator('.report-sums > div', { has: page.getByText(name, { exact: true }) }).locator('.amount');
const shows = (locator: Locator, text: string) =>
  locator.filter({ hasText: new RegExp(`^${escaped(text)}$`) }).waitFor();
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const row = ({ page }: Visitor, index: number) => page.locator('.report-table tbody tr').nth(index);
const cells = (locator: Locator) => locator.locator('td').allInnerTexts();

async function save({ page }: Visitor, name: string): Promise<{ name: string; text: string }> {
  const waiting: Promise<Download> = page.waitForEvent('download');
  await page.getByRole('button', { name, exact: true }).click();
  const download = await waiting;
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

test('a report shows what was sold, refunded and paid out, and follows it as it happens', async () => {
  const { buyer, seller } = await marketOf();
  const visitor = await open(seller, 'panel');
  const { page } = visitor;
  await page.getByRole('link', { name: 'Reports' }).click();
  await page.getByText('No sales, refunds or withdrawals in this time.').waitFor();
  await shows(sum(visitor, 'Available'), '¥0.00');

  const first = await paidOrder(buyer, seller, 2);
  await shows(sum(visitor, 'Sales'), '¥64.00');
  await page.getByText('1 order', { exact: true }).waitFor();
  const { orderId } = await paidOrder(buyer, seller);
  await seller.does('order:ship', { orderId });
  await seller.does('order:refund', { orderId, amount: 700 });
  await seller.does('order:cancel', { orderId: first.orderId, items: [{ bookId: 'book-1', count: 1 }] });
  await seller.post('/wallet/withdrawals', { amount: 2_500 });
  await shows(sum(visitor, 'Withdrawn'), '¥25.00');
  await shows(sum(visitor, 'Sales'), '¥96.00');
  await shows(sum(visitor, 'Refunds'), '¥39.00');
  await shows(sum(visitor, 'Net sales'), '¥57.00');
  await shows(sum(visitor, 'Available'), '¥32.00');
  await shows(sum(visitor, 'Pending payout'), '¥0.00');

  expect(await page.locator('.report-table tbody tr').count()).toBe(14);
  expect(await cells(row(visitor, 0))).toEqual(['2', '¥96.00', '¥39.00', '¥25.00']);
  expect(await cells(row(visitor, 1))).toEqual(['0', '¥0.00', '¥0.00', '¥0.00']);
  expect(await cells(page.locator('.report-table tfoot tr'))).toEqual(['2', '¥96.00', '¥39.00', '¥25.00']);
  const today = new Intl.DateTimeFormat('en', { timeZone: ZONE, weekday: 'short', month: 'short', day: 'numeric' });
  expect(await row(visitor, 0).locator('th').innerText()).toBe(`${today.format(fixture.hub.now())} (so far)`);
  expect(await page.getByRole('img', { name: 'Sales by day' }).locator('.bar:not(.refunds)').count()).toBe(14);
  expect(visitor.complaints).toEqual([]);
});

test('days, weeks and months are those of the browser, and are compared with as many before', async () => {
  const { buyer, seller } = await marketOf();
  const now = fixture.hub.now();
  /** Midnight in the zone, a number of days from today. */
  const midnight = await midnightOf(now);
  // Oldest first, as a ledger is.
  for (const at of [now - 90 * DAY_MS, now - 20 * DAY_MS, midnight - 1, midnight, now])
    await backdate(seller, (await paidOrder(buyer, seller)).orderId, at);

  const visitor = await open(seller);
  const { page } = visitor;
  await shows(sum(visitor, 'Sales'), '¥96.00');
  expect((await cells(row(visitor, 0)))[0]).toBe('2');
  expect((await cells(row(visitor, 1)))[0]).toBe('1');
  await shows(sum(visitor, 'Sales in the 14 days before'), '¥32.00');
  await page.getByText('200% more now').waitFor();

  await page.getByRole('link', { name: 'Weeks' }).click();
  await page.getByRole('heading', { name: 'Last 12 weeks' }).waitFor();
  await shows(sum(visitor, 'Sales'), '¥128.00');
  expect(await page.locator('.report-table tbody tr').count()).toBe(12);
  await page.getByRole('link', { name: 'Months' }).click();
  await shows(sum(visitor, 'Sales'), '¥160.00');
  const month = new Intl.DateTimeFormat('en', { timeZone: ZONE, month: 'short', year: 'numeric' });
  expect(await row(visitor, 0).locator('th').innerText()).toBe(`${month.format(now)} (so far)`);
  await page.goBack();
  await page.getByRole('heading', { name: 'Last 12 weeks' }).waitFor();
});

/** The last midnight in the zone. */
async function midnightOf(now: number): Promise<number> {
  const page = (await fixture.visit({ timezoneId: ZONE })).page;
  return page.evaluate<number>(`new Date(${now}).setHours(0, 0, 0, 0)`);
}

test('the span is taken along as tables', async () => {
  const { buyer, seller } = await marketOf();
  const old = await paidOrder(buyer, seller);
  await backdate(seller, old.orderId, fixture.hub.now() - 30 * DAY_MS);
  const kept = await paidOrder(buyer, seller, 2);
  const visitor = await open(seller);
  await shows(sum(visitor, 'Sales'), '¥64.00');

  const report = await save(visitor, 'This report');
  expect(report.name).toMatch(/^report \d{4}-\d\d-\d\d \d{4}-\d\d-\d\d\.csv$/);
  const lines = report.text.trimEnd().split('\r\n');
  expect(lines[0]).toBe('\uFEFFFrom,To,Orders,Sales,Refunds,Withdrawn');
  expect(lines).toHaveLength(15);
  expect(lines.at(-1)).toMatch(/^(\d{4}-\d\d-\d\d),\1,1,64\.00,0\.00,0\.00$/);

  const transactions = await save(visitor, 'Transactions');
  expect(transactions.name).toMatch(/^transactions /);
  expect(transactions.text).toMatch(/^\uFEFFentryId,at,kind,amount,balance,orderId\r\n/);
  expect(transactions.text).toContain(`sale,6400,9600,${kept.orderId}`);
  expect(transactions.text).not.toContain(old.orderId);

  const orders = await save(visitor, 'Order lines');
  expect(orders.text).toContain(`${kept.orderId},${kept.number},${seller.storeId},${buyer.userId}`);
  expect(orders.text).toContain('活着,2,3200');
});

test('without a connection a report waits, an export says so, and both go on after it', async () => {
  const { buyer, seller } = await marketOf();
  await paidOrder(buyer, seller);
  const visitor = await open(seller);
  const { page } = visitor;
  await shows(sum(visitor, 'Sales'), '¥32.00');
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Transactions' }).click();
  await page.locator('.reports .problem:not(:empty)').waitFor();
  await page.getByRole('link', { name: 'Weeks' }).click();
  await page.locator('.reports [role=status]', { hasText: 'Loading' }).waitFor();
  await page.context().setOffline(false);
  await page.getByRole('heading', { name: 'Last 12 weeks' }).waitFor();
  await visitor.isLive();
  expect((await save(visitor, 'Transactions')).text).toContain('sale,3200');
  expect(await page.locator('.reports .problem:not(:empty)').count()).toBe(0);
});

test('is for staff with the right for money only, and about the seller for whom they work', async () => {
  const { buyer, seller } = await marketOf();
  await paidOrder(buyer, seller);
  const [accountant, packer] = [await fixture.hub.register(), await fixture.hub.register()];
  await seller.post('/staff', { userId: accountant.userId, rights: ['read', 'money'] });
  await seller.post('/staff', { userId: packer.userId, rights: ['read', 'sell'] });

  const works = async ({ userId, token }: Person) => {
    const visitor = await fixture.visit({ timezoneId: ZONE });
    const session = JSON.stringify({ userId, token, for: seller.userId });
    await visitor.page.evaluate(`localStorage.setItem('order-hub:session', ${JSON.stringify(session)})`);
    await visitor.page.reload();
    await visitor.isLive();
    await visitor.go('panel');
    return visitor;
  };
  const allowed = await works(accountant);
  await allowed.page.getByRole('link', { name: 'Reports' }).click();
  await shows(sum(allowed, 'Sales'), '¥32.00');
  expect((await save(allowed, 'Transactions')).text).toContain('sale,3200');

  const refused = await works(packer);
  await refused.page.getByRole('link', { name: 'Products' }).waitFor({ state: 'detached' });
  expect(await refused.page.getByRole('link', { name: 'Reports' }).count()).toBe(0);
  await refused.go('panel/reports');
  await refused.page.locator('.load-error .problem:not(:empty)').waitFor();
});
