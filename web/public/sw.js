/* The service worker: shows push messages when no page is open, and keeps the pages themselves for when the hub is out of reach. */
const SHELL = 'order-hub-shell';
const SETTINGS = 'order-hub-settings';
const PAGE = new URL('./', self.registration.scope).href;
const ASSETS = `${PAGE}assets/`;
/** Of several builds; the oldest go first. */
const ASSETS_MAX = 60;
/** A page that the network does not bring by then is shown as it was kept. */
const PAGE_TIMEOUT_MS = 4_000;

const words = {
  en: {
    paid: 'New paid order',
    shipped: 'Your order is on its way',
    cancelled: 'Your order was cancelled',
    note: 'New note about an order',
    order: (number, store) => (number === null ? store : `Order ${number} · ${store}`),
  },
  zh: {
    paid: '有新的已付款订单',
    shipped: '您的订单已发货',
    cancelled: '您的订单已取消',
    note: '订单有新留言',
    order: (number, store) => (number === null ? store : `订单 ${number} · ${store}`),
  },
};

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(keepShell());
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('push', (event) => event.waitUntil(show(event.data.json())));
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.url));
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const url = request.url.replace(/[?#].*$/, '');
  // Everything else is the hub's own answers, which are never kept.
  if (url.startsWith(ASSETS)) event.respondWith(asset(request));
  else if (request.mode === 'navigate' && url === PAGE) event.respondWith(page(event));
});

/** A later message about the same order takes the place of the one before. Only what waits for its user rings again. */
async function show({ kind, orderId, number, storeId, storeName }) {
  const t = words[await language()];
  await self.registration.showNotification(t[kind], {
    body: t.order(number, storeName ?? storeId),
    tag: kind === 'note' ? `note ${orderId}` : `order ${orderId}`,
    renotify: kind === 'paid',
    requireInteraction: kind === 'paid',
    icon: './icon-192.png',
    badge: './icon-192.png',
    data: { url: `${PAGE}#/orders/${encodeURIComponent(orderId)}` },
  });
}

/** The language that the page has kept, or the browser's. */
async function language() {
  const kept = await (await caches.open(SETTINGS)).match('./language');
  const chosen = kept ? await kept.text() : navigator.language;
  return chosen.startsWith('zh') ? 'zh' : 'en';
}

/** Shows the order in a page that is open, or in a new one. */
async function open(url) {
  const windows = await self.clients.matchAll({ type: 'window' });
  const [first] = windows.filter((client) => client.url.startsWith(PAGE));
  if (!first) return void (await self.clients.openWindow(url));
  await first.navigate(url);
  await first.focus();
}

/** The page, what it loads first and what it names for later, so that the first visit is enough. */
async function keepShell() {
  const shell = await caches.open(SHELL);
  const response = await fetch(PAGE, { cache: 'no-cache' });
  if (!response.ok) return;
  const paths = (await response.clone().text()).match(/\.\/assets\/[\w.-]+/g) ?? [];
  await shell.put(PAGE, response);
  await shell.addAll(paths.map((path) => new URL(path, PAGE).href));
}

/** An asset's name holds a hash of its content: it never changes. */
async function asset(request) {
  const shell = await caches.open(SHELL);
  const kept = await shell.match(request.url);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) {
    await shell.put(request.url, response.clone());
    const keys = (await shell.keys()).filter(({ url }) => url.startsWith(ASSETS));
    await Promise.all(keys.slice(0, -ASSETS_MAX).map((key) => shell.delete(key)));
  }
  return response;
}

/** The page as the hub serves it now; where that cannot be reached, as it was. */
async function page(event) {
  const shell = await caches.open(SHELL);
  const kept = shell.match(PAGE);
  const fresh = fetch(event.request).then(async (response) => {
    if (response.ok) await shell.put(PAGE, response.clone());
    return response;
  });
  event.waitUntil(fresh.catch(() => {}));
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PAGE_TIMEOUT_MS));
  const response = await Promise.race([fresh.catch(() => kept), late]);
  return response ?? fresh;
}
