// The people of the demo: each holds one line to the hub, as a browser would, and thinks before doing anything.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createApi, HubError } from 'order-hub/client';

const HOUR_MS = 3_600_000;

/** Registers somebody, logs in and comes online. */
export async function enter(url, userId, password) {
  const visitor = createApi({ url });
  await visitor.call('register', { userId, password });
  const { token } = await visitor.call('login', { userId, password, terminal: 'demo' });
  return { userId, token, api: createApi({ url, token }), hub: connect({ url, token }) };
}

export async function openShop({ api }, { storeId, name, books }) {
  await api.call('openStore', { storeId, name });
  for (const book of books) await api.call('addBook', { storeId, ...book });
}

/** How long somebody thinks. A pace of 2 is twice as fast as people are. */
export function thinker(pace) {
  return (fromSeconds, toSeconds) =>
    sleep(((fromSeconds + Math.random() * (toSeconds - fromSeconds)) * 1_000) / pace, undefined, { ref: false });
}

/** Comes back again and again: looks for a book, orders, mostly pays, and says so when it has come. */
export async function shop({ api, hub }, { shops, think }) {
  await api.call('deposit', { amount: 50_000 });
  hub.on('order', ({ role, orderId, status }) => {
    if (role === 'buyer' && status === 'shipped') void think(20, 60).then(() => allowed(hub.receive({ orderId })));
  });
  await think(0, 10);
  for (;;) {
    await allowed(buy({ api, hub }, pick(shops), think));
    await think(5, 40);
  }
}

async function buy({ api, hub }, { storeId, books }, think) {
  const [wanted, another] = [pick(books), pick(books)];
  const { items } = await api.call('storeBooks', { storeId, q: wanted.title, field: 'title' });
  if (items.length === 0 || items[0].stock === 0) return;
  await think(2, 8);
  const basket = Math.random() < 0.3 && another.bookId !== wanted.bookId ? [wanted, another] : [wanted];
  const { orderId, total } = await hub.place({ storeId, items: basket.map(({ bookId }) => ({ bookId, count: 1 })) });
  await think(4, 12);
  const turn = Math.random();
  if (turn < 0.08) return void (await hub.cancel({ orderId, reason: 'changed my mind' }));
  if (turn < 0.14) return; // forgets to pay, and the hub cancels the order when its time is up
  const { balance } = await api.call('wallet');
  if (balance < total) await api.call('deposit', { amount: 50_000 });
  await hub.pay({ orderId });
}

/** Ships what is paid, unless somebody was quicker, and fills the shelf when the hub says that it runs low. */
export function sell({ api, hub }, { carriers, think }) {
  hub.on('order', ({ role, orderId, status }) => {
    if (role !== 'seller' || status !== 'paid') return;
    const trackingNo = `SF${String(Date.now() % HOUR_MS).padStart(7, '0')}${orderId.slice(-4)}`;
    void think(25, 70).then(() => allowed(hub.ship({ orderId, carrier: pick(carriers), trackingNo })));
  });
  hub.on('stock', ({ storeId, bookId }) => {
    void think(40, 90).then(() => allowed(api.call('addStock', { storeId, bookId, add: 10 })));
  });
}

/** A refusal is part of life: a book is sold out, somebody else was quicker. Anything else is a fault of the demo. */
async function allowed(action) {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
  }
}

export function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}
