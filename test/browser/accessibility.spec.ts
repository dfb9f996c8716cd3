import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { Person } from '../support/person.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What stands beyond the window's edge of a page that is wider than its window. */
const BEYOND_THE_EDGE = `document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('*')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth)
    .map(({ outerHTML }) => outerHTML.slice(0, 100))`;

const appearances = [
  { colorScheme: 'light', locale: 'en', viewport: { width: 1440, height: 900 } },
  { colorScheme: 'dark', locale: 'en', viewport: { width: 390, height: 844 } },
  { colorScheme: 'light', locale: 'zh-CN', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 768, height: 1024 } },
  // A window of 1,440 at 200 %.
  { colorScheme: 'light', locale: 'en', viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 },
] as const;

interface AxeViolation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** A user who sells and buys, with data on every screen. */
let lin: Person;
let bought: Order;
let toShip: Order;

const fixture = hubAndBrowser(
  async (hub) => {
    lin = await hub.seller([{ bookId: 'to-live', title: '活着', stock: 3 }, { stock: 9 }], 'lin');
    await lin.deposit(1_000);
    const other = await hub.seller([{ bookId: 'dark-forest', title: '三体Ⅱ：黑暗森林', price: 500 }], 'wang');
    const buyer = await hub.buyer(10_000, 'ada');
    const place = async (person: Person, storeId: string, bookId: string) =>
      (await person.post<Order>('/orders', { storeId, items: [{ bookId, count: 1 }] })).body;
    bought = await place(lin, other.storeId, 'dark-forest');
    await lin.post(`/orders/${bought.orderId}/pay`, {});
    await other.post(`/orders/${bought.orderId}/ship`, { carrier: '顺丰', trackingNo: 'SF1' });
    await place(lin, other.storeId, 'dark-forest');
    await place(buyer, lin.storeId, 'to-live');
    toShip = await place(buyer, lin.storeId, 'book-2');
    await buyer.post(`/orders/${toShip.orderId}/pay`, {});
    await lin.post('/webhooks', { url: 'http://127.0.0.1:9/events', role: 'seller' });
    await lin.post('/staff', { userId: buyer.userId, rights: ['read', 'sell'] });
  },
  { webhooksPrivate: true },
);

/** What axe-core finds on the current screen, and what makes the page wider than its window. */
async function violationsOn({ page }: Visitor): Promise<string[]> {
  // Evaluated through the debugger, since the page's CSP forbids the script.
  await page.evaluate(AXE);
  const violations = await page.evaluate<AxeViolation[]>('axe.run().then(({ violations }) => violations)');
  const beyond = await page.evaluate<string[]>(BEYOND_THE_EDGE);
  return [
    ...violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`),
    ),
    ...beyond.map((html) => `beyond the window's edge: ${html}`),
  ];
}

describe.each(appearances)(
  'axe-core finds nothing to mend, $colorScheme and $locale at $viewport.width,',
  (appearance) => {
    let visitor: Visitor;

    beforeAll(async () => {
      visitor = await fixture.visit(appearance);
      await visitor.comeAs(lin);
    });
    afterAll(() => visitor.page.context().close());

    async function check(screen: string, selector: string): Promise<void> {
      await visitor.go(screen);
      await visitor.page.locator(selector).first().waitFor();
      expect(await violationsOn(visitor)).toEqual([]);
    }

    test('on the login screen', () => check('login', '.login'));

    test('in the list of books', () => check('', '.book'));

    test('on a book', () => check('book/store-of-wang/dark-forest', '.book-page'));

    test('in the cart', async () => {
      await visitor.go('book/store-of-wang/dark-forest');
      await visitor.page.locator('.book-page button').click();
      await check('cart', '.cart-line');
    });

    test('in the cart, with a saved address being changed', async () => {
      const address = { name: 'Lin', lines: '1', city: '', region: '', postcode: '', country: '', phone: '' };
      const saved = JSON.stringify([{ id: 'one', address }]);
      await visitor.page.evaluate(`localStorage.setItem('order-hub:addresses', ${JSON.stringify(saved)})`);
      await visitor.page.reload();
      await visitor.page.locator('.address-actions button').first().click();
      await check('cart', '.address-form .address-form');
    });

    test('in the cart of two stores', async () => {
      await visitor.go('book/store-of-lin/to-live');
      await visitor.page.locator('.book-page button').click();
      await check('cart', '.checkout');
    });

    test('in the list of orders', () => check('orders', '.order'));
    test('on an order', () => check(`orders/${bought.orderId}`, '.timeline li'));
    test('in the wallet', () => check('wallet', '.entries'));

    test('on the desk, with an order selected', async () => {
      await visitor.go('panel');
      await visitor.page.locator('.desk-row input').check();
      await check('panel', '.selection-bar');
    });

    test('in the dialogs of the desk', async () => {
      await visitor.go('panel');
      await visitor.page.locator('.desk-row .state button').click();
      await check('panel', '.dialog .order-form');
      await visitor.page.keyboard.press('Escape');
      await visitor.page.locator('.desk-head .quiet-button').click();
      await check('panel', '.dialog .keys');
      await visitor.page.keyboard.press('Escape');
    });

    test('where several orders are shipped', () => check('panel/ship', '.ship-many'));
    test('on packing slips', () => check('panel/slips', '.slip'));
    test('on the pick list', () => check('panel/picklist', '.slip'));
    test('in the store settings', () => check('panel/settings', '.settings-form'));
    test('in the staff settings, with a member being changed', async () => {
      await visitor.go('panel/settings/staff');
      await visitor.page.locator('.settings-row button').first().click();
      await check('panel/settings/staff', '.settings-list .rights');
    });

    test('in the settings of API keys, with a secret shown', async () => {
      await visitor.go('panel/settings/keys');
      await visitor.page.locator('input[name=name]').fill('till');
      await visitor.page.locator('.settings-form form button[type=submit]').click();
      await check('panel/settings/keys', '.secret-box');
    });
    test('in the settings of webhooks', () => check('panel/settings/webhooks', '.hook-state'));
    test('on the account', () => check('account', '.settings-list li'));

    test.each([0, 1, 2, 3])('on an order to ship, with form %i open', async (form) => {
      await visitor.go('panel');
      await visitor.go(`panel/orders/${toShip.orderId}`);
      await visitor.page.locator('.order-page .actions button').nth(form).click();
      await check(`panel/orders/${toShip.orderId}`, '.order-page .order-form');
    });

    test('on an order to ship, with its address being changed', async () => {
      await visitor.go('panel');
      await visitor.go(`panel/orders/${toShip.orderId}`);
      await visitor.page.locator('.card > .quiet-button').first().click();
      await check(`panel/orders/${toShip.orderId}`, '.address-form');
    });

    test('on the board, with an order to ship', async () => {
      await visitor.go('panel/board');
      await visitor.page.locator('.column-paid .check input').first().check();
      await check('panel/board', '.ship');
    });

    test('on the shelf, with a book being edited', async () => {
      await visitor.go('panel/shelf');
      await visitor.page.locator('.shelf-row button').first().click();
      await check('panel/shelf', '.shelf .book-form');
    });

    test('on a report', () => check('panel/reports', '.report-table'));
    test('on a report by months', () => check('panel/reports/months', '.report-table'));

    test('in the import, before a file is chosen', () => check('panel/import', '.drop'));

    test('in the import, with a difference, rows to fix and every column shown', async () => {
      await visitor.go('panel/import');
      // Another price in each appearance, for the appearances share a shelf.
      const price = appearances.indexOf(appearance) + 1;
      const rows = [
        'id,title,price,stock,foo,',
        'a,A,free,1,,',
        `b,B,€${price}.00,1,x,`,
        `book-2,Second,${price}.50,9,,`,
      ];
      const file = { name: 'books.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) };
      await visitor.page.locator('input[type=file]').setInputFiles(file);
      await visitor.page.locator('.paste summary').click();
      await visitor.page.locator('.preview select').last().selectOption('none');
      await visitor.page.locator('.import-changes li').first().waitFor();
      expect(await violationsOn(visitor)).toEqual([]);
    });

    test('after an import, with what can be undone', async () => {
      await visitor.page.locator('.import button.start').click();
      await visitor.page.locator('.import-status[data-state=done] button').first().click();
      await visitor.page.locator('.import-status .danger').waitFor();
      expect(await violationsOn(visitor)).toEqual([]);
    });

    test('on the API documentation', async () => {
      await visitor.page.goto(`${fixture.hub.url}/docs`);
      expect(await violationsOn(visitor)).toEqual([]);
    });
  },
);
