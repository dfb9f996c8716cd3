import { expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { hubAndBrowser } from '../support/browser.js';
import type { Person } from '../support/person.js';

let buyer: Person;
let seller: Person;

const fixture = hubAndBrowser(
  async (hub) => {
    buyer = await hub.buyer(10_000);
    seller = await hub.seller([{ price: 3_200, stock: 9 }]);
  },
  { settleAt: 'received', shipWithinSeconds: 7_200 },
);

test('both pages show what is held and by when an order must be shipped, as it changes', async () => {
  const [sellersWallet, sellersBoard, buyersOrder] = [
    await fixture.visit(),
    await fixture.visit(),
    await fixture.visit(),
  ];
  await Promise.all([sellersWallet.comeAs(seller), sellersBoard.comeAs(seller), buyersOrder.comeAs(buyer)]);
  await sellersWallet.go('wallet');
  await sellersBoard.go('panel/board');
  await sellersWallet.page.getByText('¥0.00').first().waitFor();
  expect(await sellersWallet.page.getByText('Pending payout').count()).toBe(0);

  const { orderId } = await buyer.place(seller);
  await buyersOrder.go(`orders/${orderId}`);
  await buyersOrder.page.getByRole('button', { name: 'Pay ¥32.00' }).click();
  await buyersOrder.page.getByText(/^Ships by .*, or you get a full refund$/).waitFor();
  await sellersBoard.page.getByText(/^Ship by /).waitFor();
  await sellersWallet.page.getByText('Pending payout ¥32.00').waitFor();
  await sellersWallet.go('panel/reports');
  await sellersWallet.page.getByText('Yours when each order is received: 1 to ship, 0 on the way.').waitFor();
  await sellersWallet.page.getByText('No sales, refunds or withdrawals in this time.').waitFor();
  await sellersWallet.go('wallet');
  await sellersWallet.page.getByText('Pending payout ¥32.00').waitFor();
  expect(await sellersWallet.page.locator('.balance .amount').innerText()).toBe('¥0.00');

  // Another device ships and receives it.
  await seller.post<Order>(`/orders/${orderId}/ship`, {});
  await buyersOrder.page.getByText(/^Ships by /).waitFor({ state: 'detached' });
  await buyer.post<Order>(`/orders/${orderId}/receive`, {});
  await sellersWallet.page.getByText('Pending payout').waitFor({ state: 'detached' });
  await sellersWallet.page.locator('.balance .amount', { hasText: '¥32.00' }).waitFor();
  await sellersWallet.page.locator('.entries tbody tr', { hasText: 'Sale' }).waitFor();
});

test('the wallet page follows deposits from elsewhere, also those made while it was offline', async () => {
  const visitor = await fixture.visit();
  const owner = await fixture.hub.buyer(500);
  await visitor.comeAs(owner);
  await visitor.go('wallet');
  const amount = (text: string) => visitor.page.locator('.balance .amount', { hasText: text }).waitFor();
  await amount('¥5.00');
  await owner.deposit(700);
  await amount('¥12.00');
  await visitor.page.context().setOffline(true);
  await visitor.page.locator('.connection-status[data-state=offline]').waitFor();
  await owner.deposit(100);
  await visitor.page.context().setOffline(false);
  await amount('¥13.00');
});
