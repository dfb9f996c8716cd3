// A buyer: finds a book by part of its title, tops up, orders, pays, and confirms receipt once it is shipped.
//   node examples/buyer.js [store id]
import process from 'node:process';
import { connect, createApi } from 'order-hub/client';
import { formatMoney, signUp, url } from './hub.js';

const storeId = process.argv[2] ?? 'corner-books';
const token = await signUp(`buyer-${crypto.randomUUID().slice(0, 8)}`);
const api = createApi({ url, token });
await api.call('deposit', { amount: 20_000 });

const { items } = await api.call('storeBooks', { storeId, q: 'left hand' });
const [book] = items;
console.log(`found    ${book.title}, ${formatMoney(book.price)}, ${book.stock} left`);

const hub = connect({ url, token });
hub.on('state', (state) => state === 'offline' && console.log('waiting  the hub is away'));
hub.on('order', async ({ orderId, command, status, trackingNo }) => {
  console.log(`${status.padEnd(8)} ${orderId.slice(-6)}${trackingNo ? `, tracking number ${trackingNo}` : ''}`);
  if (command === 'ship') await hub.receive({ orderId });
  if (status !== 'received') return;
  const { balance } = await api.call('wallet');
  console.log(`wallet   ${formatMoney(balance)}`);
  hub.close();
});

// Placed once even when the request is retried, and only at the expected total.
const order = await hub.place({ storeId, items: [{ bookId: book.bookId, count: 2 }], expectedTotal: 2 * book.price });
await hub.pay({ orderId: order.orderId, expectedTotal: order.total });
