import { expect, test } from '@jest/globals';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { PASSWORD } from '../support/hub.js';

const fixture = hubAndBrowser();

async function submitLogin({ page }: Visitor, userId: string, button: 'Log in' | 'Create account'): Promise<void> {
  const form = page.locator('.login');
  if (button === 'Create account') await form.getByRole('button', { name: button }).click();
  await form.getByLabel('Username').fill(userId);
  await form.getByLabel('Password').fill(PASSWORD);
  await form.locator('button[type=submit]').click();
}

const hashOf = ({ page }: Visitor) => new URL(page.url()).hash;

const inCart = {
  lines: { label: 'Address', text: '1 Main Street\nFlat 2' },
  name: { label: 'Name', text: 'Emma Woodhouse' },
  note: { label: 'Note to seller (optional)', text: 'Please wrap it.' },
};

async function fillCart({ page }: Visitor): Promise<void> {
  for (const { label, text } of Object.values(inCart)) await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByLabel('Quantity of Emma').fill('2');
}

/** What stands in the cart's fields. */
async function cartOf({ page }: Visitor): Promise<string[]> {
  const labels = [...Object.values(inCart).map(({ label }) => label), 'Quantity of Emma'];
  return Promise.all(labels.map((label) => page.getByLabel(label, { exact: true }).inputValue()));
}

const filledCart = [...Object.values(inCart).map(({ text }) => text), '2'];

async function visitorWithCart(): Promise<Visitor> {
  const seller = await fixture.hub.seller([{ title: 'Emma', price: 1_500 }]);
  const visitor = await fixture.visit();
  await visitor.go(`store/${seller.storeId}`);
  await visitor.page.getByRole('button', { name: 'Add to cart' }).click();
  await visitor.go('cart');
  await fillCart(visitor);
  return visitor;
}

test('registering from the cart returns to the cart, which has lost nothing and orders what is in it', async () => {
  const visitor = await visitorWithCart();
  await visitor.page.getByRole('link', { name: 'Log in to check out' }).click();
  await submitLogin(visitor, 'new-here', 'Create account');
  await visitor.page.getByRole('button', { name: 'Place order' }).waitFor();
  expect(await cartOf(visitor)).toEqual(filledCart);
  await visitor.page.getByRole('button', { name: 'Place order: ¥30.00' }).click();
  await visitor.page.locator('header .status-badge-placed').waitFor();
  // The login page is not in the history: going back from the order leads to the cart.
  await visitor.page.goBack();
  expect(hashOf(visitor)).toBe('#/cart');
  expect(visitor.complaints).toEqual([]);
});

test('logging in from the cart after a typing error returns to the cart as it was', async () => {
  const buyer = await fixture.hub.buyer();
  const visitor = await visitorWithCart();
  await visitor.page.getByRole('link', { name: 'Log in to check out' }).click();
  await visitor.page.getByLabel('Username').fill(buyer.userId);
  await visitor.page.getByLabel('Password').fill('a wrong password');
  await visitor.page.locator('.login button[type=submit]').click();
  await visitor.page.getByText('Wrong username or password.').waitFor();
  await submitLogin(visitor, buyer.userId, 'Log in');
  await visitor.page.getByRole('button', { name: 'Place order: ¥30.00' }).waitFor();
  expect(hashOf(visitor)).toBe('#/cart');
  expect(await cartOf(visitor)).toEqual(filledCart);
});

test('a session that ends by itself leaves the cart as it was; another user does not see the address', async () => {
  const buyer = await fixture.hub.buyer();
  const other = await fixture.hub.buyer();
  const visitor = await visitorWithCart();
  await visitor.comeAs(buyer);
  await buyer.post('/auth/logout', {});
  await visitor.page.getByRole('link', { name: 'Log in to check out' }).click();
  await visitor.page.getByText('Your session has ended.').waitFor();
  await submitLogin(visitor, buyer.userId, 'Log in');
  await visitor.page.getByRole('button', { name: 'Place order: ¥30.00' }).waitFor();
  expect(await cartOf(visitor)).toEqual(filledCart);

  await visitor.page.getByRole('button', { name: 'Log out' }).click();
  await visitor.page.getByRole('link', { name: 'Log in to check out' }).click();
  await submitLogin(visitor, other.userId, 'Log in');
  await visitor.page.getByRole('button', { name: 'Place order: ¥30.00' }).waitFor();
  expect((await cartOf(visitor)).slice(0, 2)).toEqual(['', '']);
});

test('a link to a book, and to an order that needs a login, leads there', async () => {
  const seller = await fixture.hub.seller([{ bookId: 'emma', title: 'Emma' }]);
  const buyer = await fixture.hub.buyer(10_000);
  const items = [{ bookId: 'emma', count: 1 }];
  const { body } = await buyer.post<{ orderId: string }>('/orders', { storeId: seller.storeId, items });
  const visitor = await fixture.visit();
  await visitor.go(`book/${seller.storeId}/emma`);
  await visitor.page.locator('header').getByRole('link', { name: 'Log in' }).click();
  await submitLogin(visitor, buyer.userId, 'Log in');
  await visitor.page.getByRole('heading', { name: 'Emma' }).waitFor();
  expect(hashOf(visitor)).toBe(`#/book/${seller.storeId}/emma`);

  const another = await fixture.visit();
  await another.go(`orders/${body.orderId}`);
  await submitLogin(another, buyer.userId, 'Log in');
  await another.page.locator('header .status-badge-placed').waitFor();
  expect(hashOf(another)).toBe(`#/orders/${body.orderId}`);
});

test('the header’s login returns to the same screen with its query, also when pressed again on the login page', async () => {
  const seller = await fixture.hub.seller([{ title: '活着' }]);
  const buyer = await fixture.hub.buyer();
  const visitor = await fixture.visit();
  const place = `store/${seller.storeId}?${new URLSearchParams({ q: '活着', field: 'title' })}`;
  await visitor.go(place);
  const logIn = visitor.page.locator('header').getByRole('link', { name: 'Log in' });
  await logIn.click();
  await visitor.page.locator('.login').waitFor();
  await logIn.click();
  await submitLogin(visitor, buyer.userId, 'Log in');
  await visitor.page.getByRole('button', { name: 'Log out' }).waitFor();
  await visitor.page.getByRole('heading', { name: '活着' }).waitFor();
  expect(hashOf(visitor)).toBe(`#/${place}`);
});

test.each(['orders', 'wallet', 'panel/shelf'])('%s asks for a login and then shows itself', async (place) => {
  const seller = await fixture.hub.seller();
  const visitor = await fixture.visit();
  await visitor.go(place);
  await submitLogin(visitor, seller.userId, 'Log in');
  await visitor.page.getByRole('button', { name: 'Log out' }).waitFor();
  expect(hashOf(visitor)).toBe(`#/${place}`);
});

test('a login page opened by its own link leads to the shop, and never off the page', async () => {
  const buyer = await fixture.hub.buyer();
  for (const place of ['login', 'login?to=https%3A%2F%2Fevil.example%2F', 'login?to=%2F%2Fevil.example']) {
    const visitor = await fixture.visit();
    await visitor.go(place);
    await submitLogin(visitor, buyer.userId, 'Log in');
    await visitor.page.getByRole('heading', { name: 'Books' }).waitFor();
    expect(new URL(visitor.page.url()).origin).toBe(fixture.hub.url);
  }
});
