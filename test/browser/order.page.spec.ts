import { expect, test } from '@jest/globals';
import type { Order, OrderWithTimeline } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { Person } from '../support/person.js';

let seller: Person;
let buyer: Person;

const fixture = hubAndBrowser(
  async (hub) => {
    const books = [
      { bookId: 'emma', title: 'Emma', price: 1_000, stock: 100 },
      { bookId: 'walden', title: 'Walden', price: 2_500 },
    ];
    seller = await hub.seller(books, 'lin');
    buyer = await hub.buyer(100_000, 'ada');
    await seller.patch(`/stores/${seller.storeId}`, { acceptWithinSeconds: 3_600 });
  },
  { settleAt: 'received' },
);

const press = ({ page }: Visitor, name: string) => page.getByRole('button', { name, exact: true }).click();
const part = ({ page }: Visitor, name: string) => page.getByRole('region', { name, exact: true });

/** Three copies of Emma and one of Walden, paid. */
async function paidOrder(): Promise<Order> {
  const deliverTo = { name: 'Ada Lovelace', lines: ['12 St James’s Square'], city: 'London', country: 'GB' };
  const items = [
    { bookId: 'emma', count: 3 },
    { bookId: 'walden', count: 1 },
  ];
  const { body } = await buyer.post<Order>('/orders', { storeId: seller.storeId, items, deliverTo });
  await buyer.post(`/orders/${body.orderId}/pay`, {});
  return body;
}

async function open(person: Person, screen: string): Promise<Visitor> {
  const visitor = await fixture.visit();
  await visitor.comeAs(person);
  await visitor.go(screen);
  return visitor;
}

const read = async (person: Person, { orderId }: Order) =>
  (await person.get<OrderWithTimeline>(`/orders/${orderId}`)).body;

test('a seller accepts an order, ships part, mends the tracking, refunds and cancels, and the buyer sees each', async () => {
  const order = await paidOrder();
  const shop = await open(seller, `panel/orders/${order.orderId}`);
  const reader = await open(buyer, `orders/${order.orderId}`);
  await shop.page.getByRole('heading', { name: `Order #${order.number}` }).waitFor();
  await part(shop, 'Ship to').getByText('Ada Lovelace').waitFor();

  await press(shop, 'Accept');
  await shop.page.getByLabel('Ready at (optional)').fill('2027-03-01T09:15');
  await press(shop, 'Accept order');
  await reader.page.getByText('Ready Mar 1, 2027').waitFor();

  await press(shop, 'Ship');
  expect(await shop.page.evaluate('document.activeElement.name')).toBe('trackingNo');
  await shop.page.getByLabel('Tracking number').fill('RM 1');
  await shop.page.getByLabel('Carrier').fill('Royal Mail');
  await shop.page.getByLabel('Ship only some of the items').check();
  await shop.page.getByLabel('Copies of Emma').fill('2');
  await shop.page.getByLabel('Copies of Walden').fill('0');
  await press(shop, 'Ship 2 copies');
  await part(shop, 'Items').getByText('2 shipped · 1 to ship').waitFor();
  await part(reader, 'Parcels').getByText('RM 1').waitFor();

  await press(shop, 'Edit tracking of parcel 1');
  await part(shop, 'Parcels').getByLabel('Tracking number').fill('RM 2');
  await press(shop, 'Save');
  await part(reader, 'Parcels').getByText('RM 2').waitFor();

  await press(shop, 'Refund');
  await shop.page.getByLabel('Copies of Emma').fill('1');
  await shop.page.getByLabel('Put shipped copies back in stock').check();
  await shop.page.getByText('¥10.00 goes back to ada.').waitFor();
  await press(shop, 'Refund ¥10.00');
  await part(reader, 'Items').getByText('−¥10.00').waitFor();

  await press(shop, 'Cancel items');
  await shop.page.getByLabel('Copies of Emma').fill('0');
  await shop.page.getByLabel('Reason (optional)').fill('Walden is water-damaged.');
  await shop.page.getByLabel('Walden is sold out: set its stock to 0').check();
  await shop.page.getByText('¥25.00 goes back to ada. 1 copy goes back in stock.').waitFor();
  await press(shop, 'Cancel 1 copy');
  await part(reader, 'Items').getByText('−¥35.00').waitFor();

  const { items, refunded, parcels, acceptedAt } = await read(seller, order);
  expect(items).toMatchObject([
    { bookId: 'emma', shipped: 2, cancelled: 0, refunded: 1 },
    { bookId: 'walden', shipped: 0, cancelled: 1, refunded: 0 },
  ]);
  expect(refunded).toBe(3_500);
  expect(acceptedAt).not.toBeNull();
  expect(parcels).toMatchObject([{ carrier: 'Royal Mail', trackingNo: 'RM 2' }]);
  expect([await seller.stock('emma'), await seller.stock('walden')]).toEqual([98, 0]);
  expect(await part(shop, 'Timeline').locator('strong').allInnerTexts()).toEqual([
    ...[
      'Ordered',
      'Paid',
      'Seen by the shop',
      'Accepted',
      'Partly shipped',
      'Tracking updated',
      'Refunded',
      'Partly cancelled',
    ],
  ]);
  expect([...shop.complaints, ...reader.complaints]).toEqual([]);
  await seller.post(`/stores/${seller.storeId}/books/walden/stock`, { add: 9 });
});

test('a seller gives back an amount, and readdresses what is not shipped', async () => {
  const order = await paidOrder();
  const shop = await open(seller, `panel/orders/${order.orderId}`);
  await press(shop, 'Edit address');
  await part(shop, 'Ship to').getByLabel('City', { exact: true }).fill('Bath');
  await press(shop, 'Save address');
  await part(shop, 'Ship to').locator('address').getByText('Bath').waitFor();
  await press(shop, 'Refund');
  await shop.page.getByLabel('An amount').check();
  await shop.page.getByLabel('Amount', { exact: true }).fill('55.01');
  expect(await shop.page.getByRole('button', { name: 'Refund ¥0.00' }).isDisabled()).toBe(true);
  await shop.page.getByLabel('Amount', { exact: true }).fill('4.50');
  await press(shop, 'Refund ¥4.50');
  await part(shop, 'Items').getByText('−¥4.50').waitFor();
  expect(await read(seller, order)).toMatchObject({ refunded: 450, deliverTo: { city: 'Bath' } });
});

test('a buyer receives one of two parcels, and then the other', async () => {
  const order = await paidOrder();
  for (const bookId of ['emma', 'walden']) {
    const count = bookId === 'emma' ? 3 : 1;
    await seller.post(`/orders/${order.orderId}/ship`, { items: [{ bookId, count }], trackingNo: `T-${bookId}` });
  }
  const reader = await open(buyer, `orders/${order.orderId}`);
  await press(reader, 'Mark parcel 2 as received');
  await part(reader, 'Parcels')
    .getByText(/^Delivered/)
    .waitFor();
  expect(await read(buyer, order)).toMatchObject({ status: 'shipped' });
  await press(reader, 'Mark as received');
  await reader.page.locator('header .status-badge-received').waitFor();
  expect(await part(reader, 'Timeline').locator('li').count()).toBe(6);
});

test('an order that is not paid yet can be readdressed by its buyer and cancelled by its seller', async () => {
  const order = await buyer.place(seller, [{ bookId: 'emma', count: 1 }]);
  const reader = await open(buyer, `orders/${order.orderId}`);
  await reader.page.getByText('No address given.').waitFor();
  await press(reader, 'Edit address');
  await reader.page.getByLabel('Name', { exact: true }).fill('Ada');
  await reader.page.getByLabel('Address', { exact: true }).fill('1 Elm Street');
  await press(reader, 'Save address');
  await part(reader, 'Ship to').locator('address').getByText('1 Elm Street').waitFor();

  // The buyer's link opens the seller's page for the seller.
  const shop = await open(seller, `orders/${order.orderId}`);
  await shop.page.getByRole('button', { name: 'Cancel order' }).click();
  await shop.page.getByText('Nothing was paid, so no money moves.').waitFor();
  await shop.page.locator('.order-form .danger').click();
  await reader.page.locator('header .status-badge-cancelled').waitFor();
});

test('a receipt prints the order without the page around it', async () => {
  const order = await paidOrder();
  const reader = await open(buyer, `orders/${order.orderId}`);
  await reader.page.getByRole('button', { name: 'Print receipt' }).waitFor();
  await reader.page.emulateMedia({ media: 'print' });
  expect(await reader.page.getByText('¥55.00').first().isVisible()).toBe(true);
  expect(await reader.page.getByText(order.orderId).isVisible()).toBe(true);
  for (const hidden of ['header.top', '.back', '.note-form', '.actions', '.timeline']) {
    expect(await reader.page.locator(hidden).first().isVisible()).toBe(false);
  }
});
