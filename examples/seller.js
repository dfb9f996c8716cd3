// A seller: opens a store, fills its shelf, and ships each order as soon as it is paid.
//   node examples/seller.js [store id]
import process from 'node:process';
import { command, connect, join, request } from './hub.js';

const storeId = process.argv[2] ?? 'corner-books';
const token = await join(`seller-${crypto.randomUUID().slice(0, 8)}`);
await request('POST', '/stores', { token, body: { storeId, name: 'The corner bookshop' } });
const books = [
  { bookId: 'three-body', title: '三体', author: '刘慈欣', price: 2300, stock: 20 },
  { bookId: 'left-hand', title: 'The Left Hand of Darkness', author: 'Ursula K. Le Guin', price: 5400, stock: 6 },
];
for (const body of books) await request('POST', `/stores/${storeId}/books`, { token, body });
console.log(`store    ${storeId} is open, with ${books.length} books`);

const socket = connect(token);
socket.on('connect_error', (error) => console.log(`waiting  ${error.message}`));
socket.once('room:ready', () => console.log('ready    waiting for orders'));
socket.on('book:stock', ({ bookId, stock }) => console.log(`stock    only ${stock} of ${bookId} left`));
socket.on('order:status', async ({ orderId, status, total }) => {
  console.log(`${status.padEnd(8)} ${orderId.slice(-6)}, total ${(total / 100).toFixed(2)}`);
  if (status === 'paid') await command(socket, 'order:ship', { orderId, carrier: '顺丰', trackingNo: 'SF1234567890' });
  if (status !== 'received') return;
  const { balance } = await request('GET', '/wallet', { token });
  console.log(`wallet   ${(balance / 100).toFixed(2)}`);
  socket.disconnect();
});
