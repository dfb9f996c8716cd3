// The simulated users of the demo: each keeps one connection to the hub, as a browser does, and pauses before every action.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createApi, HubError } from 'order-hub/client';

const HOUR_MS = 3_600_000;

/** Registers a user, logs in and connects. */
export async function signUp(url, userId, password) {
  const publicApi = createApi({ url });
  await publicApi.call('register', { userId, password });
  const { token } = await publicApi.call('login', { userId, password, terminal: 'demo' });
  return { userId, token, api: createApi({ url, token }), hub: connect({ url, token }) };
}

export async function openShop({ api }, { storeId, name, books }) {
  await api.call('openStore', { storeId, name });
  for (const book of books) await api.call('addBook', { storeId, ...book });
}

/** Returns a function that waits a random time between two numbers of seconds. A pace of 2 halves every wait. */
export function createPause(pace) {
  return (fromSeconds, toSeconds) =>
    sleep(((fromSeconds + Math.random() * (toSeconds - fromSeconds)) * 1_000) / pace, undefined, { ref: false });
}

/** Buys in a loop: searches, orders, usually pays, and confirms receipt of what was shipped. */
export async function shop({ api, hub }, { shops, pause }) {
  await api.call('deposit', { amount: 50_000 });
  hub.on('order', ({ role, orderId, command }) => {
    if (role === 'buyer' && command === 'ship')
      void pause(20, 60).then(() => ignoreHubErrors(hub.receive({ orderId })));
  });
  await pause(0, 10);
  for (;;) {
    await ignoreHubErrors(buy({ api, hub }, pick(shops), pause));
    await pause(5, 40);
  }
}

async function buy({ api, hub }, { storeId, books }, pause) {
  const [wanted, another] = [pick(books), pick(books)];
  const { items } = await api.call('storeBooks', { storeId, q: wanted.title, field: 'title' });
  if (items.length === 0 || items[0].stock === 0) return;
  await pause(2, 8);
  const basket = Math.random() < 0.3 && another.bookId !== wanted.bookId ? [wanted, another] : [wanted];
  const { orderId, total } = await hub.place({ storeId, items: basket.map(({ bookId }) => ({ bookId, count: 1 })) });
  await pause(4, 12);
  const chance = Math.random();
  if (chance < 0.08) return void (await hub.cancel({ orderId, reason: 'changed my mind' }));
  if (chance < 0.14) return; // does not pay, so that the hub cancels the order when its deadline passes
  const { balance } = await api.call('wallet');
  if (balance < total) await api.call('deposit', { amount: 50_000 });
  await hub.pay({ orderId });
}

/** Ships paid orders, and restocks a book on the hub's low-stock alert. */
export function sell({ api, hub }, { carriers, pause }) {
  hub.on('order', ({ role, orderId, command }) => {
    if (role !== 'seller' || command !== 'pay') return;
    const trackingNo = `SF${String(Date.now() % HOUR_MS).padStart(7, '0')}${orderId.slice(-4)}`;
    void pause(25, 70).then(() => ignoreHubErrors(hub.ship({ orderId, carrier: pick(carriers), trackingNo })));
  });
  hub.on('stock', ({ storeId, bookId }) => {
    void pause(40, 90).then(() => ignoreHubErrors(api.call('addStock', { storeId, bookId, add: 10 })));
  });
}

/** Ignores errors of the hub, such as a book that is sold out or an order already shipped. Other errors are bugs of the demo. */
async function ignoreHubErrors(action) {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
  }
}

export function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}
