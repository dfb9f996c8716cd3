// Takes screenshots of the pages with a seeded store, a seller and a buyer, on a temporary database.
//   npm run screenshots                   the screenshots of the README, into docs/screenshots
//   npm run screenshots -- --all <folder> every screen, desktop, tablet and phone, light and dark, English and Chinese;
//                                         add --only board,cart for some of them
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { connect } from 'order-hub/client';
import { chromium } from 'playwright-core';
import { signUp } from '../demo/people.js';
import { startHub } from './start.hub.mjs';

const { values: options } = parseArgs({ options: { all: { type: 'string' }, only: { type: 'string' } } });
const folder = options.all ?? join('docs', 'screenshots');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];
const PASSWORD = 'correct horse battery';

const books = [
  ['three-body', '三体', '刘慈欣', 2300, 20, '科幻'],
  ['to-live', '活着', '余华', 2800, 12, '小说'],
  ['red-chamber', '红楼梦', '曹雪芹', 5970, 8, '古典'],
  ['fortress', '围城', '钱锺书', 3900, 3, '小说'],
  ['border-town', '边城', '沈从文', 2200, 15, '小说'],
  ['ordinary-world', '平凡的世界', '路遥', 8800, 6, '小说'],
  ['tea-house', '茶馆', '老舍', 1900, 9, '戏剧'],
  ['frog', '蛙', '莫言', 3500, 0, '小说'],
  ['left-hand', 'The Left Hand of Darkness', 'Ursula K. Le Guin', 5400, 6, 'science fiction'],
  ['middlemarch', 'Middlemarch', 'George Eliot', 4200, 11, 'classics'],
  ['invisible-cities', 'Invisible Cities', 'Italo Calvino', 4800, 2, 'stories'],
  ['beloved', 'Beloved', 'Toni Morrison', 4600, 7, 'classics'],
  ['pale-fire', 'Pale Fire', 'Vladimir Nabokov', 5100, 5, 'classics'],
  ['design', 'The Design of Everyday Things', 'Don Norman', 6900, 14, 'design'],
  [
    'sicp',
    'Structure and Interpretation of Computer Programs',
    'Harold Abelson, Gerald Jay Sussman',
    12800,
    4,
    'computing',
  ],
];

const recipients = [
  ['Grace Hopper', 'New York', 'design'],
  ['林小雨', '上海', 'border-town'],
  ['Alan Turing', 'Wilmslow', 'sicp'],
  ['Katherine Johnson', 'Hampton', 'pale-fire'],
  ['王小波', '北京', 'ordinary-world'],
  ['Edsger Dijkstra', 'Nuenen', 'middlemarch'],
];

/** Seeds a store with orders in every status. */
async function seed(url) {
  const seller = await signUp(url, '林书店', PASSWORD);
  await seller.api.call('openStore', { storeId: 'lin-books', name: '林记书店 · Lin’s Books' });
  for (const [bookId, title, author, price, stock, tag] of books) {
    await seller.api.call('addBook', {
      ...{ storeId: 'lin-books', bookId, title, author, price, stock, tags: [tag] },
      ...(bookId === 'three-body'
        ? {
            publisher: '重庆出版社',
            isbn: '9787536692930',
            summary: '文化大革命如火如荼进行的同时，军方探寻外星文明的绝秘计划“红岸工程”取得了突破性进展。',
          }
        : {}),
    });
  }
  const buyer = await signUp(url, 'Ada', PASSWORD);
  await buyer.api.call('deposit', { amount: 200_000, key: 'first' });
  const order = async (bookId, count, commands) => {
    const { orderId } = await buyer.hub.place({ storeId: 'lin-books', items: [{ bookId, count }] });
    for (const command of commands) {
      if (command === 'pay') await buyer.hub.pay({ orderId });
      if (command === 'ship') await seller.hub.ship({ orderId, carrier: '顺丰', trackingNo: `SF${orderId.slice(-8)}` });
      if (command === 'receive') await buyer.hub.receive({ orderId });
      if (command === 'cancel') await buyer.hub.cancel({ orderId });
    }
    return orderId;
  };
  await order('beloved', 1, ['pay', 'ship', 'receive']);
  await order('to-live', 2, ['cancel']);
  await order('middlemarch', 1, ['pay', 'ship', 'receive']);
  const shipped = await order('three-body', 2, ['pay', 'ship']);
  await order('tea-house', 1, ['pay', 'ship']);
  await order('border-town', 1, ['pay']);
  const { orderId: toShip } = await buyer.hub.place({
    storeId: 'lin-books',
    items: [
      { bookId: 'left-hand', count: 1 },
      { bookId: 'red-chamber', count: 2 },
    ],
    deliverTo: {
      name: 'Ada Lovelace',
      lines: ['12 St James’s Square'],
      postcode: 'SW1Y 4JH',
      city: 'London',
      country: 'GB',
    },
    note: 'The bell does not ring, please knock.',
  });
  await buyer.hub.pay({ orderId: toShip });
  await order('fortress', 1, []);
  for (const [name, city, bookId] of recipients) {
    const { orderId } = await buyer.hub.place({
      storeId: 'lin-books',
      items: [{ bookId, count: 1 }],
      deliverTo: { name, lines: ['1'], city },
    });
    await buyer.hub.pay({ orderId });
  }
  await seller.api.call('createWebhook', { url: 'https://example.com/order-events', role: 'seller' });
  const member = await signUp(url, 'Ying', PASSWORD);
  await seller.api.call('addMember', { userId: 'Ying', rights: ['read', 'sell', 'stock'] });
  const acting = connect({ url, token: member.token, for: '林书店' });
  await acting.claim({ orderId: toShip, seconds: 900 });
  for (const { hub } of [buyer, seller, member]) hub.close();
  acting.close();
  member.for = '林书店';
  return { seller, buyer, member, shipped, toShip };
}

const CSV = `id,title,author,price,stock
night-watch,夜航西飞,柏瑞尔·马卡姆,36.00,10
bad-price,没有价格的书,无名,free,3
walden,Walden,Henry David Thoreau,32.50,8
,A book without an id,Nobody,10.00,1`;

/** Selects all orders of the seller's list, and opens what is done with them. */
async function openSelected(page, screen) {
  await page.locator('.desk-head .check input').check();
  await page.locator(`.selection-bar a[href="#/panel/${screen}"]`).click();
  await page.locator('main :is(table, .slip)').first().waitFor();
}

/** Every screen: the user's role, the route, and what happens before the screenshot. */
const screens = ({ shipped, toShip }) => ({
  empty: { path: '' },
  login: { path: '#/login' },
  wrongPassword: {
    path: '#/login',
    async before(page) {
      await page.locator('input[name=userId]').fill('Ada');
      await page.locator('input[name=password]').fill('not her password');
      await page.locator('.login button[type=submit]').click();
      await page.locator('.problem:not(:empty)').waitFor();
    },
  },
  shop: { role: 'buyer', path: '' },
  search: { role: 'buyer', path: '#/?q=世界' },
  book: { role: 'buyer', path: '#/book/lin-books/three-body' },
  cart: {
    role: 'buyer',
    path: '',
    async before(page) {
      await page.locator('.book button').nth(0).click();
      await page.locator('.book button').nth(1).click();
      await page.evaluate(() => (location.hash = '#/cart'));
    },
  },
  emptyCart: { role: 'buyer', path: '#/cart' },
  unknownOrder: { role: 'buyer', path: '#/orders/0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36' },
  offline: {
    role: 'buyer',
    path: '#/orders',
    async before(page, context) {
      await context.setOffline(true);
      await page.locator('.connection-notice:not(:empty)').waitFor();
    },
  },
  orders: { role: 'buyer', path: '#/orders' },
  order: { role: 'buyer', path: `#/orders/${shipped}` },
  wallet: { role: 'buyer', path: '#/wallet' },
  desk: {
    role: 'seller',
    path: '#/panel',
    async before(page) {
      for (const index of [0, 1]) await page.locator('.desk-row input').nth(index).check();
    },
  },
  deskBack: {
    role: 'seller',
    path: '#/panel',
    async before(page, context, { buyer }) {
      await context.setOffline(true);
      await page.locator('.connection-notice:not(:empty)').waitFor();
      const bought = { storeId: 'lin-books', items: [{ bookId: 'three-body', count: 1 }] };
      const [kept, returned] = [await buyer.api.call('place', bought), await buyer.api.call('place', bought)];
      for (const { orderId } of [kept, returned]) await buyer.api.call('pay', { orderId });
      await buyer.api.call('cancel', { orderId: returned.orderId });
      await context.setOffline(false);
      await page.locator('.missed').waitFor();
    },
  },
  deskShip: {
    role: 'seller',
    path: '#/panel',
    async before(page) {
      await page.locator('.desk-row .state button').first().click();
    },
  },
  sale: { role: 'seller', path: `#/panel/orders/${toShip}` },
  saleRefund: {
    role: 'seller',
    path: `#/panel/orders/${toShip}`,
    async before(page) {
      await page.locator('.order-page .actions button').nth(2).click();
    },
  },
  shipMany: { role: 'seller', path: '#/panel', before: (page) => openSelected(page, 'ship') },
  slips: { role: 'seller', path: '#/panel', before: (page) => openSelected(page, 'slips') },
  pickList: { role: 'seller', path: '#/panel', before: (page) => openSelected(page, 'picklist') },
  settings: { role: 'seller', path: '#/panel/settings' },
  staff: {
    role: 'seller',
    path: '#/panel/settings/staff',
    before: (page) => page.locator('.settings-row .quiet-button').first().click(),
  },
  keys: {
    role: 'seller',
    path: '#/panel/settings/keys',
    async before(page) {
      await page.locator('input[name=name]').fill('Till 2');
      await page.locator('.settings-form button[type=submit]').click();
      await page.locator('.secret-box').waitFor();
    },
  },
  webhooks: { role: 'seller', path: '#/panel/settings/webhooks' },
  account: { role: 'buyer', path: '#/account' },
  memberDesk: { role: 'member', path: '#/panel' },
  memberSale: { role: 'member', path: `#/panel/orders/${toShip}` },
  memberCart: { role: 'member', path: '#/cart' },
  board: {
    role: 'seller',
    path: '#/panel/board',
    async before(page) {
      await page.locator('.column-paid input').nth(1).check();
    },
  },
  shelf: {
    role: 'seller',
    path: '#/panel/shelf',
    async before(page) {
      await page.locator('.shelf-row button').first().click();
    },
  },
  import: {
    role: 'seller',
    path: '#/panel/import',
    async before(page) {
      const file = { name: 'books.csv', mimeType: 'text/csv', buffer: Buffer.from(CSV) };
      await page.locator('input[type=file]').setInputFiles(file);
      await page.locator('.import-counts[aria-busy=false]').waitFor();
    },
  },
  reports: { role: 'seller', path: '#/panel/reports' },
  reportsByMonth: { role: 'seller', path: '#/panel/reports/months' },
  openStore: { role: 'buyer', path: '#/panel' },
});

const DESKTOP = { width: 1280, height: 860 };
const TABLET = { width: 768, height: 1024 };
const PHONE = { width: 390, height: 844 };
const variantsOf = (name) =>
  [DESKTOP, TABLET, PHONE].flatMap((viewport) =>
    ['light', 'dark'].flatMap((scheme) => ['en', 'zh-CN'].map((locale) => ({ name, viewport, scheme, locale }))),
  );
const readmeScreenshots = [
  { name: 'shop', viewport: DESKTOP, scheme: 'light', locale: 'en' },
  { name: 'desk', viewport: DESKTOP, scheme: 'light', locale: 'en' },
  { name: 'order', viewport: PHONE, scheme: 'light', locale: 'zh-CN' },
];

async function takeScreenshot(browser, url, users, { name, viewport, scheme, locale }) {
  const { role, path, before } = screens(users)[name];
  const context = await browser.newContext({ viewport, colorScheme: scheme, locale, reducedMotion: 'reduce' });
  const user = role && users[role];
  if (user) {
    const session = JSON.stringify({ userId: user.userId, token: user.token, for: user.for });
    await context.addInitScript((json) => localStorage.setItem('order-hub:session', json), session);
  }
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && console.error(`${name}: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  await page.goto(`${url}/${path}`);
  await page.locator('main :is(h1, .load-error)').first().waitFor();
  if (user) await page.locator('.connection-status[data-state=live]').waitFor();
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await before?.(page, context, users);
  await page.waitForTimeout(300);
  const file = options.all ? `${name}-${viewport.width}-${scheme}-${locale}.png` : `${name}.png`;
  await page.screenshot({ path: join(folder, file), fullPage: Boolean(options.all) });
  await context.close();
}

const temp = mkdtempSync(join(tmpdir(), 'order-hub-screenshots-'));
mkdirSync(folder, { recursive: true });
const databaseUrl = `sqlite:${join(temp, 'hub.sqlite')}`;
const { child, listening } = startHub({ PORT: '0', DATABASE_URL: databaseUrl, LOG_LEVEL: 'silent' });
const url = await listening;
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const names = options.only?.split(',') ?? Object.keys(screens({}));
const screenshots = options.all ? names.flatMap(variantsOf) : readmeScreenshots;
const isBeforeSeeding = ({ name }) => name === 'empty';
for (const screenshot of screenshots.filter(isBeforeSeeding)) await takeScreenshot(browser, url, {}, screenshot);
const users = await seed(url);
for (const screenshot of screenshots)
  if (!isBeforeSeeding(screenshot)) await takeScreenshot(browser, url, users, screenshot);
await browser.close();
child.kill();
await once(child, 'exit');
rmSync(temp, { recursive: true, force: true });
console.log(`${screenshots.length} screenshots are in ${folder}`);
