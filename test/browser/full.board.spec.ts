import { expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser } from '../support/browser.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

/** More than the longest page that the hub gives, and more than a page of the board. */
const TO_SHIP = 110;
const ON_THE_WAY = 45;
const BOOKS = 110;

let seller: Person;

const stage = hubAndBrowser(async (hub) => {
  const last = { title: 'The last on the shelf', stock: 2 };
  seller = await hub.seller([...range(BOOKS).map(() => ({ stock: 1_000 })), last]);
  const buyer = await hub.buyer(100_000_000);
  const orders = range(TO_SHIP + ON_THE_WAY).map(async () => {
    const place = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
    const { body: order } = await buyer.post<Order>('/orders', place);
    await buyer.post(`/orders/${order.orderId}/pay`, {});
    return order.orderId;
  });
  const toBeShipped = (await Promise.all(orders)).slice(0, ON_THE_WAY);
  await Promise.all(toBeShipped.map((orderId) => seller.post(`/orders/${orderId}/ship`, {})));
});

test('the board knows every order that is to be shipped, and says of the others whether there are more', async () => {
  const visitor = await stage.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/board');
  const column = (name: string) => visitor.page.getByRole('region', { name });
  await column('To ship').locator('.count').getByText(String(TO_SHIP), { exact: true }).waitFor();

  const onTheWay = column('On the way');
  await onTheWay.locator('.count').getByText('20+', { exact: true }).waitFor();
  await onTheWay.getByRole('button', { name: 'Show more' }).click();
  await onTheWay.locator('.count').getByText('40+', { exact: true }).waitFor();
  await onTheWay.getByRole('button', { name: 'Show more' }).click();
  await onTheWay.locator('.count').getByText(String(ON_THE_WAY), { exact: true }).waitFor();
  expect(await onTheWay.getByRole('button', { name: 'Show more' }).count()).toBe(0);

  await column('To ship').getByLabel('Select all').check();
  await visitor.page.getByRole('button', { name: `Ship ${TO_SHIP} orders` }).waitFor();
  expect(visitor.complaints).toEqual([]);
});

test('a book that runs low is named wherever it stands on the shelf, and leads there', async () => {
  const visitor = await stage.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/board');
  const low = visitor.page.getByRole('region', { name: 'Running low' });
  await low.getByText('2 left').waitFor();
  await low.getByRole('link', { name: 'The last on the shelf' }).click();
  await visitor.page.locator('.shelf-row').waitFor();
  expect(await visitor.page.locator('.shelf-row strong').allInnerTexts()).toEqual(['The last on the shelf']);
});
