// A seller: opens a store, adds books, and ships each order as soon as it is paid.
//   node examples/seller.js [store id]
import process from 'node:process';
import { connect, createApi } from 'order-hub/client';
import { formatMoney, signUp, url } from './hub.js';

const storeId = process.argv[2] ?? 'corner-books';
const token = await signUp(`seller-${crypto.randomUUID().slice(0, 8)}`);
const api = createApi({ url, token });
await api.call('openStore', { storeId, name: 'The corner bookshop' });
const books = [
  { bookId: 'three-body', title: '三体', author: '刘慈欣', price: 2300, stock: 20 },
  { bookId: 'left-hand', title: 'The Left Hand of Darkness', author: 'Ursula K. Le Guin', price: 5400, stock: 6 },
];
for (const book of books) await api.call('addBook', { storeId, ...book });
console.log(`store    ${storeId} is open, with ${books.length} books`);

const hub = connect({ url, token });
hub.on('state', (state) => state === 'offline' && console.log('waiting  the hub is away'));
hub.on('ready', () => console.log('ready    waiting for orders'));
hub.on('stock', ({ bookId, stock }) => console.log(`stock    only ${stock} of ${bookId} left`));
hub.on('order', async ({ orderId, command, status, total }) => {
  console.log(`${status.padEnd(8)} ${orderId.slice(-6)}, total ${formatMoney(total)}`);
  if (command === 'pay') await hub.ship({ orderId, carrier: '顺丰', trackingNo: 'SF1234567890' });
  if (status !== 'received') return;
  const { balance } = await api.call('wallet');
  console.log(`wallet   ${formatMoney(balance)}`);
  hub.close();
});
