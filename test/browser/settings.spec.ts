import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import { PASSWORD, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { WebhookReceiver } from '../support/webhook.receiver.js';

const NEW_PASSWORD = 'another horse battery';

let receiver: WebhookReceiver;

const fixture = hubAndBrowser(async () => {}, { webhooksPrivate: true });
beforeAll(async () => {
  receiver = await WebhookReceiver.start();
});
afterAll(() => receiver.stop());

const press = ({ page }: Visitor, name: string) => page.getByRole('button', { name, exact: true }).click();

async function open(person: Person, screen: string): Promise<Visitor> {
  const visitor = await fixture.visit();
  await visitor.comeAs(person);
  await visitor.go(screen);
  return visitor;
}

/** What the hub answers to a bearer token. */
async function statusWith(token: string, path: string): Promise<number> {
  const { status } = await fetch(`${fixture.hub.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return status;
}

test('an API key is created with its rights, shown once, used, and revoked', async () => {
  const visitor = await open(await fixture.hub.seller(), 'panel/settings/keys');
  const { page } = visitor;
  await page.getByText('No API keys yet.').waitFor();
  await page.getByLabel('Name').fill('Till 2');
  await page.getByRole('checkbox', { name: 'Fulfil' }).check();
  await page.locator('select[name=days]').selectOption('In 30 days');
  await press(visitor, 'Create key');
  await page.getByText('Secret of “Till 2”.').waitFor();
  const secret = await page.locator('.secret-box code').innerText();
  await page.locator('.settings-row', { hasText: 'Till 2 View, Fulfil' }).waitFor();
  expect(await page.locator('.settings-list').innerText()).toMatch(/Never used · Expires /);
  expect(await statusWith(secret, '/orders?role=seller')).toBe(200);
  expect(await statusWith(secret, '/wallet')).toBe(403);
  await press(visitor, 'I’ve saved it');
  await page.reload();
  await page.locator('.settings-list', { hasText: 'Last used' }).waitFor();
  expect(await page.content()).not.toContain(secret);

  await press(visitor, 'Revoke: Till 2');
  await press(visitor, 'Revoke now');
  await page.getByText('No API keys yet.').waitFor();
  expect(await statusWith(secret, '/orders?role=seller')).toBe(401);
  expect(visitor.complaints).toEqual([]);
});

test('a webhook is added, tested, paused, goes on, is sent again, fails and is deleted', async () => {
  const seller = await fixture.hub.seller();
  const buyer = await fixture.hub.buyer();
  const visitor = await open(seller, 'panel/settings/webhooks');
  const { page } = visitor;
  const url = page.getByLabel('URL');
  await url.fill('https://user:pass@shop.example/');
  await press(visitor, 'Add webhook');
  await page.getByText('must be an https address without a name').waitFor();
  await url.fill(receiver.url);
  await press(visitor, 'Add webhook');
  await page.locator('.secret-box code', { hasText: 'whsec_' }).waitFor();
  await press(visitor, 'I’ve saved it');

  await press(visitor, `Send test: ${receiver.url}`);
  await page.getByText('Your server answered 204.').waitFor();
  await buyer.place(seller);
  await page.getByText('Everything up to event 1 is delivered').waitFor();
  await page.getByText('last answer 204').waitFor();

  await press(visitor, `Pause: ${receiver.url}`);
  await page.getByText('Paused', { exact: true }).waitFor();
  await buyer.place(seller);
  await page.getByText('Delivered up to event 1 of 2').waitFor();
  await press(visitor, `Resume: ${receiver.url}`);
  await page.getByText('Everything up to event 2 is delivered').waitFor();

  const before = receiver.requests.length;
  await press(visitor, `Send again…: ${receiver.url}`);
  await page.getByLabel('Send again from event number').fill('2');
  await press(visitor, 'Send again');
  await until('event 2 has come again', () => receiver.requests.length > before);
  expect(receiver.requests.at(-1)?.body.events.map(({ seq }) => seq)).toEqual([2]);

  receiver.behaviour = 500;
  await buyer.place(seller);
  await page.getByText('Failing since').waitFor();
  await page.getByText('last answer 500').waitFor();
  await press(visitor, `Delete: ${receiver.url}`);
  await press(visitor, 'Delete now');
  await page.getByText('No webhooks yet.').waitFor();
  expect(visitor.complaints).toEqual([]);
});

test('a buyer ends a session elsewhere, and a new password ends all others', async () => {
  const ada = await fixture.hub.person('ada');
  const login = { userId: ada.userId, password: PASSWORD };
  const logInElsewhere = async () => (await ada.post<{ token: string }>('/auth/login', login)).body.token;
  const phone = await logInElsewhere();
  const visitor = await open(ada, 'account');
  await visitor.page.getByRole('heading', { name: 'Account: ada' }).waitFor();
  await visitor.page.getByText('This device').waitFor();
  expect(await visitor.page.locator('.settings-form', { hasText: 'logged in' }).locator('li').count()).toBe(2);
  await visitor.page.getByRole('button', { name: /^Log out: / }).click();
  await press(visitor, 'Log out now');
  await visitor.page.getByRole('button', { name: /^Log out: / }).waitFor({ state: 'detached' });
  expect(await statusWith(phone, '/auth/session')).toBe(401);

  const tablet = await logInElsewhere();
  await visitor.page.getByLabel('Current password').fill('not the password');
  await visitor.page.getByLabel('New password').fill(NEW_PASSWORD);
  await press(visitor, 'Change password');
  await visitor.page.getByText('That isn’t your current password.').waitFor();
  expect(await statusWith(tablet, '/auth/session')).toBe(200);
  await visitor.page.getByLabel('Current password').fill(PASSWORD);
  await press(visitor, 'Change password');
  await visitor.page.getByText('Password changed.').waitFor();
  expect(await statusWith(tablet, '/auth/session')).toBe(401);
  expect((await ada.post('/auth/login', login)).status).toBe(401);
  expect((await ada.post('/auth/login', { ...login, password: NEW_PASSWORD })).status).toBe(200);
  await visitor.isLive();
  expect(visitor.complaints).toEqual([]);
});
