// The backend of a shop that keeps its own users: signs a seller and a buyer in with the operator's key, places an order, and
// sends the buyer to the payment provider's page.
//   OPERATOR_KEY=… node examples/shop-backend.js [store id]
import process from 'node:process';
import { connect, createApi } from 'order-hub/client';
import { formatMoney, url } from './hub.js';

const storeId = process.argv[2] ?? 'shop-books';
const operator = createApi({ url, token: process.env.OPERATOR_KEY ?? '' });

/** The token that the shop gives to its user's browser or app. The hub adds the user at the first call. */
async function signIn(userId) {
  const { token, expiresAt } = await operator.call('openSession', { userId, terminal: 'shop' });
  console.log(`signed in  ${userId}, until ${expiresAt.slice(0, 10)}`);
  return token;
}

/** What is there already stays: the script may run again. */
async function unlessItExists(call) {
  await call.catch((error) => {
    if (!error.code?.endsWith('_EXISTS')) throw error;
  });
}

const seller = createApi({ url, token: await signIn(`${storeId}-owner`) });
await unlessItExists(seller.call('openStore', { storeId, name: 'The shop' }));
await unlessItExists(
  seller.call('addBook', { storeId, bookId: 'three-body', title: '三体', price: 2_300, stock: 1_000 }),
);

const token = await signIn('anna');
const hub = connect({ url, token });
hub.on('order', ({ status, total }) => {
  if (status !== 'paid') return;
  console.log(`paid       ${formatMoney(total)}`);
  hub.close();
});
const order = await hub.place({
  storeId,
  items: [{ bookId: 'three-body', count: 2 }],
  deliverTo: { name: 'Anna', lines: ['12 High Street'], city: 'Bath', country: 'GB' },
  note: 'A present: no invoice in the parcel, please.',
});
console.log(`placed     #${order.number}, ${formatMoney(order.total)}`);

// The provider's page; the order is paid in the transaction that credits the money.
const topup = await createApi({ url, token }).call('createTopup', { amount: order.total, orderId: order.orderId });
console.log(`pay at     ${topup.next.url}`);
