import { expect, test } from '@jest/globals';
import { hubAndBrowser } from '../support/browser.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';

let buyer: Person;

const fixture = hubAndBrowser(async (hub) => {
  buyer = await hub.buyer(1_000_000, 'ada');
  await buyer.connect();
});

async function paidOrder(seller: Person): Promise<string> {
  const { orderId } = await buyer.place(seller);
  await buyer.does('order:pay', { orderId });
  return orderId;
}

async function openPanel(seller: Person) {
  const proxy = await TcpProxy.before(fixture.hub.url);
  await proxy.open();
  const visitor = await fixture.visit({ url: proxy.url });
  await visitor.comeAs(seller);
  await visitor.go('panel');
  return { proxy, visitor, page: visitor.page };
}

test('the panel says up to which event every order is on it, and after a break what has changed', async () => {
  const seller = await fixture.hub.seller();
  await paidOrder(seller);
  const { proxy, visitor, page } = await openPanel(seller);
  await page.getByText(/^Every order up to event 2 is here, checked \d+ s ago\.$/).waitFor();
  await paidOrder(seller);
  await page.getByText('Every order up to event 4 is here').waitFor();

  await proxy.close();
  await page.getByText('Every order up to event 4 was here at').waitFor();
  const orders = [await paidOrder(seller), await paidOrder(seller), await paidOrder(seller)];
  await buyer.does('order:cancel', { orderId: orders[0] ?? '' });
  await proxy.open();
  await page.locator('.missed', { hasText: /^Since .+: 2 paid\s*1 cancelled/ }).waitFor();
  await page.getByText('Every order up to event 11 is here').waitFor();
  await page.getByRole('link', { name: '1 cancelled' }).click();
  await page.locator(`.desk-row a[href$="${orders[0]}"]`).waitFor();
  expect(await page.locator('.desk-row').count()).toBe(1);
  await page.getByRole('link', { name: '2 paid' }).click();
  await page.locator(`.desk-row a[href$="${orders[2]}"]`).waitFor();
  expect(await page.locator('.desk-row').count()).toBe(2);
  expect(await page.getByText('while you were away').count()).toBe(0);
  await page.locator('.missed').getByRole('button', { name: 'OK' }).click();
  expect(await page.locator('.missed').count()).toBe(0);
  await page.locator('.desk-row').nth(3).waitFor();
  expect(visitor.complaints).toEqual([]);
  await proxy.close();
});

test('what changed while no page was open is said at the next visit, and not what changes in sight', async () => {
  const seller = await fixture.hub.seller();
  const { proxy, visitor, page } = await openPanel(seller);
  await page.getByText('Every order up to event 0 is here').waitFor();
  await page.goto('about:blank');
  await paidOrder(seller);
  await visitor.go('panel');
  await page.locator('.missed', { hasText: /^Since .+: 1 paid/ }).waitFor();
  await paidOrder(seller);
  await page.getByText('2 new paid orders').waitFor();
  expect(await page.locator('.missed a').allInnerTexts()).toEqual(['1 paid']);
  await proxy.close();
});
