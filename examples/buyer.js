// A buyer: finds a book by a part of its title, tops up, orders, pays, and receives it when it has been shipped.
//   node examples/buyer.js [store id]
import process from 'node:process';
import { command, connect, join, request } from './hub.js';

const storeId = process.argv[2] ?? 'corner-books';
const token = await join(`buyer-${crypto.randomUUID().slice(0, 8)}`);
await request('POST', '/wallet/deposits', { token, body: { amount: 20_000, key: 'first-top-up' } });

const { items } = await request('GET', `/stores/${storeId}/books?q=${encodeURIComponent('left hand')}`);
const [book] = items;
console.log(`found    ${book.title}, ${(book.price / 100).toFixed(2)}, ${book.stock} left`);

const socket = connect(token);
socket.on('connect_error', (error) => console.log(`waiting  ${error.message}`));
socket.on('order:status', async ({ orderId, status, trackingNo }) => {
  console.log(`${status.padEnd(8)} ${orderId.slice(-6)}${trackingNo ? `, tracking number ${trackingNo}` : ''}`);
  if (status === 'shipped') await command(socket, 'order:receive', { orderId });
  if (status !== 'received') return;
  const { balance } = await request('GET', '/wallet', { token });
  console.log(`wallet   ${(balance / 100).toFixed(2)}`);
  socket.disconnect();
});
socket.once('room:ready', async () => {
  const order = await command(socket, 'order:place', {
    storeId,
    items: [{ bookId: book.bookId, count: 2 }],
    expectedTotal: 2 * book.price,
  });
  await command(socket, 'order:pay', { orderId: order.orderId, expectedTotal: order.total });
});
