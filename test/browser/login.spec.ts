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

test('registering from the cart returns to the cart, which orders what is in it', async () => {
  const seller = await fixture.hub.seller([{ title: 'Emma', price: 3_000 }]);
  const visitor = await fixture.visit();
  await visitor.go(`store/${seller.storeId}`);
  await visitor.page.getByRole('button', { name: 'Add to cart' }).click();
  await visitor.go('cart');
  await visitor.page.getByRole('link', { name: 'Log in to order' }).click();
  await submitLogin(visitor, 'new-here', 'Create account');
  await visitor.page.getByRole('button', { name: 'Place order: ¥30.00' }).click();
  await visitor.page.locator('header .status-badge-placed').waitFor();
  // The login page is not in the history: going back from the order leads to the cart.
  await visitor.page.goBack();
  expect(hashOf(visitor)).toBe('#/cart');
  expect(visitor.complaints).toEqual([]);
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
