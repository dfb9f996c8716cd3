// Makes the pictures of the pages that the README shows: a hub on a database of its own, a furnished store, two people.
//   npm run screenshots                   the pictures of the README, into docs/screenshots
//   npm run screenshots -- --all <folder> every screen, wide and narrow, light and dark, in English and in Chinese;
//                                         with --only board,cart just these
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { enter } from '../demo/people.js';
import { startHub } from './start.hub.mjs';

const { values: asked } = parseArgs({ options: { all: { type: 'string' }, only: { type: 'string' } } });
const folder = asked.all ?? join('docs', 'screenshots');
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

/** A store at work: orders in every status. */
async function furnish(url) {
  const seller = await enter(url, '林书店', PASSWORD);
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
  const buyer = await enter(url, 'Ada', PASSWORD);
  await buyer.api.call('deposit', { amount: 60_000, key: 'first' });
  const order = async (bookId, count, steps) => {
    const { orderId } = await buyer.hub.place({ storeId: 'lin-books', items: [{ bookId, count }] });
    for (const step of steps) {
      if (step === 'pay') await buyer.hub.pay({ orderId });
      if (step === 'ship') await seller.hub.ship({ orderId, carrier: '顺丰', trackingNo: `SF${orderId.slice(-8)}` });
      if (step === 'receive') await buyer.hub.receive({ orderId });
      if (step === 'cancel') await buyer.hub.cancel({ orderId });
    }
    return orderId;
  };
  await order('beloved', 1, ['pay', 'ship', 'receive']);
  await order('to-live', 2, ['cancel']);
  await order('middlemarch', 1, ['pay', 'ship', 'receive']);
  const shipped = await order('three-body', 2, ['pay', 'ship']);
  await order('tea-house', 1, ['pay', 'ship']);
  await order('border-town', 1, ['pay']);
  await order('left-hand', 1, ['pay']);
  await order('fortress', 1, []);
  buyer.hub.close();
  seller.hub.close();
  return { seller, buyer, shipped };
}

const CSV = `id,title,author,price,stock
night-watch,夜航西飞,柏瑞尔·马卡姆,36.00,10
bad-price,没有价格的书,无名,free,3
walden,Walden,Henry David Thoreau,32.50,8
,A book without an id,Nobody,10.00,1`;

/** Every screen: who looks, where, and what they do before the picture. */
const screens = ({ shipped }) => ({
  empty: { path: '' },
  enter: { path: '#/enter' },
  wrong: {
    path: '#/enter',
    async before(page) {
      await page.locator('input[name=userId]').fill('Ada');
      await page.locator('input[name=password]').fill('not her password');
      await page.locator('.enter button[type=submit]').click();
      await page.locator('.problem:not(:empty)').waitFor();
    },
  },
  shop: { who: 'buyer', path: '' },
  search: { who: 'buyer', path: '#/?q=世界' },
  book: { who: 'buyer', path: '#/book/lin-books/three-body' },
  cart: {
    who: 'buyer',
    path: '',
    async before(page) {
      await page.locator('.book button').nth(0).click();
      await page.locator('.book button').nth(1).click();
      await page.evaluate(() => (location.hash = '#/cart'));
    },
  },
  nothing: { who: 'buyer', path: '#/cart' },
  unknown: { who: 'buyer', path: '#/orders/0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36' },
  offline: {
    who: 'buyer',
    path: '#/orders',
    async before(page, context) {
      await context.setOffline(true);
      await page.locator('.line-notice:not(:empty)').waitFor();
    },
  },
  orders: { who: 'buyer', path: '#/orders' },
  order: { who: 'buyer', path: `#/orders/${shipped}` },
  wallet: { who: 'buyer', path: '#/wallet' },
  board: {
    who: 'seller',
    path: '#/panel',
    async before(page) {
      await page.locator('.column-paid input').nth(1).check();
    },
  },
  shelf: {
    who: 'seller',
    path: '#/panel/shelf',
    async before(page) {
      await page.locator('.shelf-row button').first().click();
    },
  },
  import: {
    who: 'seller',
    path: '#/panel/import',
    async before(page) {
      await page.locator('textarea').fill(CSV);
    },
  },
  open: { who: 'buyer', path: '#/panel' },
});

const WIDE = { width: 1280, height: 860 };
const NARROW = { width: 390, height: 844 };
const every = (name) =>
  [WIDE, NARROW].flatMap((viewport) =>
    ['light', 'dark'].flatMap((scheme) => ['en', 'zh-CN'].map((locale) => ({ name, viewport, scheme, locale }))),
  );
const ofReadme = [
  { name: 'shop', viewport: WIDE, scheme: 'light', locale: 'en' },
  { name: 'board', viewport: WIDE, scheme: 'dark', locale: 'zh-CN' },
  { name: 'order', viewport: NARROW, scheme: 'light', locale: 'zh-CN' },
];

async function takePicture(browser, url, people, { name, viewport, scheme, locale }) {
  const { who, path, before } = screens(people)[name];
  const context = await browser.newContext({ viewport, colorScheme: scheme, locale, reducedMotion: 'reduce' });
  const person = who && people[who];
  if (person) {
    const session = JSON.stringify({ userId: person.userId, token: person.token });
    await context.addInitScript((kept) => localStorage.setItem('order-hub:session', kept), session);
  }
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && console.error(`${name}: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  await page.goto(`${url}/${path}`);
  await page.locator('main :is(h1, .unread)').first().waitFor();
  if (person) await page.locator('.line-state[data-state=live]').waitFor();
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await before?.(page, context);
  await page.waitForTimeout(300);
  const file = asked.all ? `${name}-${viewport.width}-${scheme}-${locale}.png` : `${name}.png`;
  await page.screenshot({ path: join(folder, file), fullPage: Boolean(asked.all) });
  await context.close();
}

const temp = mkdtempSync(join(tmpdir(), 'order-hub-pictures-'));
mkdirSync(folder, { recursive: true });
const databaseUrl = `sqlite:${join(temp, 'hub.sqlite')}`;
const { child, listening } = startHub({ PORT: '0', DATABASE_URL: databaseUrl, LOG_LEVEL: 'silent' });
const url = await listening;
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const names = asked.only?.split(',') ?? Object.keys(screens({}));
const pictures = asked.all ? names.flatMap(every) : ofReadme;
const isBeforeAnyStore = ({ name }) => name === 'empty';
for (const picture of pictures.filter(isBeforeAnyStore)) await takePicture(browser, url, {}, picture);
const people = await furnish(url);
for (const picture of pictures) if (!isBeforeAnyStore(picture)) await takePicture(browser, url, people, picture);
await browser.close();
child.kill();
await once(child, 'exit');
rmSync(temp, { recursive: true, force: true });
console.log(`${pictures.length} pictures are in ${folder}`);
