import process from 'node:process';
import { expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { Order, OrderWithTimeline } from '../../src/contract/orders.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { Person } from '../support/person.js';

const fixture = hubAndBrowser();

/** For somebody to look at, if a folder is given. */
async function shoot({ page }: Visitor, name: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

async function visitorWithCart(buyer: Person): Promise<Visitor> {
  const visitor = await fixture.visit();
  await visitor.comeAs(buyer);
  await fillCart(visitor);
  return visitor;
}

async function fillCart(visitor: Visitor): Promise<void> {
  const seller = await fixture.hub.seller([{ title: 'Emma' }]);
  await visitor.go(`store/${seller.storeId}`);
  await visitor.page.getByRole('button', { name: 'Add to cart' }).click();
  await visitor.go('cart');
  await visitor.page.locator('.basket').waitFor();
}

async function type({ page }: Visitor, name: string, lines: string): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Address', { exact: true }).fill(lines);
}

async function place({ page }: Visitor): Promise<void> {
  await page.getByRole('button', { name: 'Place order' }).click();
  await page.locator('header .status-badge-placed').waitFor();
}

const choice = ({ page }: Visitor, name: string | RegExp) => page.getByRole('radio', { name });

/** What can be chosen, and what is. */
async function choicesOf({ page }: Visitor): Promise<string[]> {
  const choices = await page.locator('.address-choice').all();
  return Promise.all(
    choices.map(async (label) => {
      const mark = (await label.locator('input').isChecked()) ? '* ' : '';
      return mark + (await label.innerText()).replace(/\s+/g, ' ').trim();
    }),
  );
}

/** The lines of the address of the buyer's last order. */
async function lastDelivery(buyer: Person): Promise<string[] | undefined> {
  const { body } = await buyer.get<Page<Order>>('/orders?role=buyer');
  const { body: order } = await buyer.get<OrderWithTimeline>(`/orders/${body.items[0]?.orderId}`);
  return order.deliverTo?.lines;
}

test('addresses are saved with the orders that go there, chosen, changed, deleted, and one is the default', async () => {
  const buyer = await fixture.hub.buyer();
  const visitor = await visitorWithCart(buyer);
  const { page } = visitor;
  await type(visitor, 'Ada', '1 Elm Street');
  expect(await page.getByLabel('Save this address').isChecked()).toBe(true);
  await place(visitor);
  await fillCart(visitor);
  expect(await choicesOf(visitor)).toEqual(['* Ada Default 1 Elm Street', 'A new address', 'No address']);

  await choice(visitor, 'A new address').check();
  await type(visitor, 'Ada at work', '2 Oak Road');
  await place(visitor);
  expect(await lastDelivery(buyer)).toEqual(['2 Oak Road']);
  await fillCart(visitor);
  expect((await choicesOf(visitor)).slice(0, 2)).toEqual(['Ada Default 1 Elm Street', '* Ada at work 2 Oak Road']);

  await page.getByRole('button', { name: 'Make default' }).click();
  expect((await choicesOf(visitor)).slice(0, 2)).toEqual(['* Ada at work Default 2 Oak Road', 'Ada 1 Elm Street']);
  await choice(visitor, /1 Elm Street/).check();
  await page.getByRole('button', { name: 'Edit' }).click();
  await shoot(visitor, 'addresses.edit');
  await page.getByLabel('Address', { exact: true }).fill('11 Elm Street');
  expect(await page.getByRole('button', { name: 'Place order' }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await place(visitor);
  expect(await lastDelivery(buyer)).toEqual(['11 Elm Street']);

  await page.reload();
  await fillCart(visitor);
  await shoot(visitor, 'addresses');
  await page.getByRole('button', { name: 'Delete' }).click();
  expect((await choicesOf(visitor))[0]).toBe('* Ada at work Default 2 Oak Road');
  await page.getByRole('button', { name: 'Undo' }).click();
  await choice(visitor, /11 Elm Street/).waitFor();
  await choice(visitor, 'No address').check();
  await place(visitor);
  expect(await lastDelivery(buyer)).toBeUndefined();
  expect(visitor.complaints).toEqual([]);
});

test('an address that is not to be saved is not, and another user sees none', async () => {
  const buyer = await fixture.hub.buyer();
  const visitor = await visitorWithCart(buyer);
  const { page } = visitor;
  await type(visitor, 'Ada', '1 Elm Street');
  await page.getByLabel('Save this address').uncheck();
  await place(visitor);
  await fillCart(visitor);
  expect(await page.getByLabel('Address', { exact: true }).inputValue()).toBe('1 Elm Street');
  expect(await choicesOf(visitor)).toEqual([]);
  await page.getByLabel('Save this address').check();
  await place(visitor);
  await fillCart(visitor);
  await choice(visitor, /1 Elm Street/).waitFor();

  await page.getByRole('button', { name: 'Log out' }).click();
  await visitor.comeAs(await fixture.hub.buyer());
  await page.getByLabel('Address', { exact: true }).waitFor();
  expect(await page.getByLabel('Address', { exact: true }).inputValue()).toBe('');
  expect(await page.evaluate<string>('JSON.stringify(localStorage)')).not.toContain('Elm Street');
});

test('the one address that earlier pages kept is the first of the saved ones', async () => {
  const buyer = await fixture.hub.buyer();
  const visitor = await fixture.visit();
  const kept = {
    name: 'Ada',
    lines: '1 Elm Street\nFlat 2',
    city: 'Bath',
    region: '',
    postcode: '',
    country: '',
    phone: '',
  };
  await visitor.page.evaluate(
    `localStorage.setItem('order-hub:address', ${JSON.stringify(JSON.stringify(kept))});
     localStorage.setItem('order-hub:address-user', ${JSON.stringify(JSON.stringify(buyer.userId))});`,
  );
  await visitor.comeAs(buyer);
  await fillCart(visitor);
  expect((await choicesOf(visitor))[0]).toBe('* Ada Default 1 Elm Street, Flat 2, Bath');
  await place(visitor);
  expect(await lastDelivery(buyer)).toEqual(['1 Elm Street', 'Flat 2']);
  await visitor.page.reload();
  await fillCart(visitor);
  expect(await choicesOf(visitor)).toHaveLength(3);
});
