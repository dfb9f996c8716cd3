import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { Person } from '../support/person.js';

/** The judge of what people with a screen reader, a keyboard or weak eyes can use. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const looks = [
  { colorScheme: 'light', locale: 'en', viewport: { width: 1280, height: 860 } },
  { colorScheme: 'dark', locale: 'en', viewport: { width: 1280, height: 860 } },
  { colorScheme: 'light', locale: 'zh-CN', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 390, height: 844 } },
] as const;

interface AxeFault {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** Somebody who sells and buys, and has every screen full. */
let lin: Person;
let bought: Order;

const stage = hubAndBrowser(async (hub) => {
  lin = await hub.seller([{ bookId: 'to-live', title: '活着', stock: 3 }, { stock: 9 }], 'lin');
  await lin.deposit(1_000);
  const other = await hub.seller([{ bookId: 'dark-forest', title: '三体Ⅱ：黑暗森林', price: 500 }], 'wang');
  const buyer = await hub.buyer(10_000, 'ada');
  const place = async (who: Person, storeId: string, bookId: string) =>
    (await who.post<Order>('/orders', { storeId, items: [{ bookId, count: 1 }] })).body;
  bought = await place(lin, other.storeId, 'dark-forest');
  await lin.post(`/orders/${bought.orderId}/pay`, {});
  await other.post(`/orders/${bought.orderId}/ship`, { carrier: '顺丰', trackingNo: 'SF1' });
  await place(lin, other.storeId, 'dark-forest');
  await place(buyer, lin.storeId, 'to-live');
  const paid = await place(buyer, lin.storeId, 'book-2');
  await buyer.post(`/orders/${paid.orderId}/pay`, {});
});

/** Faults that keep somebody from using the screen, as they stand in it. */
async function seriousFaults({ page }: Visitor): Promise<string[]> {
  // Through the debugger: the page's own policy would not let this script in.
  await page.evaluate(AXE);
  const faults = await page.evaluate<AxeFault[]>('axe.run().then(({ violations }) => violations)');
  return faults
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
}

describe.each(looks)('axe-core finds no serious fault, $colorScheme and $locale at $viewport.width,', (look) => {
  let visitor: Visitor;

  beforeAll(async () => {
    visitor = await stage.visit(look);
    await visitor.comeAs(lin);
  });
  afterAll(() => visitor.page.context().close());

  async function judge(place: string, shows: string): Promise<void> {
    await visitor.go(place);
    await visitor.page.locator(shows).first().waitFor();
    expect(await seriousFaults(visitor)).toEqual([]);
  }

  test('where one logs in', () => judge('enter', '.enter'));

  test('among the books', () => judge('', '.book'));

  test('in a book', () => judge('book/store-of-wang/dark-forest', '.book-page'));

  test('in the cart', async () => {
    await visitor.go('book/store-of-wang/dark-forest');
    await visitor.page.locator('.book-page button').click();
    await judge('cart', '.cart-line');
  });

  test('among the orders', () => judge('orders', '.order'));
  test('in an order', () => judge(`orders/${bought.orderId}`, '.timeline li'));
  test('in the wallet', () => judge('wallet', '.entries'));

  test('on the board, with an order to ship', async () => {
    await visitor.go('panel/board');
    await visitor.page.locator('.column-paid .check input').first().check();
    await judge('panel/board', '.ship');
  });

  test('on the shelf, with a book to change', async () => {
    await visitor.go('panel/shelf');
    await visitor.page.locator('.shelf-row button').first().click();
    await judge('panel/shelf', '.shelf .book-form');
  });

  test('in the import, with lines that cannot be read', async () => {
    await visitor.go('panel/import');
    await visitor.page.locator('textarea').fill('id,title,price,stock\na,A,free,1\nb,B,1.00,1');
    await judge('panel/import', '.problems');
  });

  test('on the page of the API documents', async () => {
    await visitor.page.goto(`${stage.hub.url}/docs`);
    expect(await seriousFaults(visitor)).toEqual([]);
  });
});
