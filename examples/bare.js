// The bare protocol with only fetch and socket.io-client, for authors of other clients: a buyer who sends a command twice,
// disconnects, and reconnects to receive the missed events.
//   node examples/bare.js [store id]
import process from 'node:process';
import { io } from 'socket.io-client';

const url = process.env.HUB_URL ?? 'http://127.0.0.1:3000';
const storeId = process.argv[2] ?? 'corner-books';

// Accounts, wallets, stores and books use HTTP. An error is { error: { code, message, retryable, details } }.
async function request(method, path, { token, body } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  }).catch(() => {
    console.error(`No hub answers at ${url}. Start one with npm start, or set HUB_URL.`);
    process.exit(1);
  });
  const answer = response.status === 204 ? undefined : await response.json();
  if (!response.ok) throw new Error(`${path}: ${answer.error.code}: ${answer.error.message}`);
  return answer;
}

const account = { userId: `bare-${crypto.randomUUID().slice(0, 8)}`, password: crypto.randomUUID() };
await request('POST', '/auth/register', { body: account });
const { token } = await request('POST', '/auth/login', { body: account });
const { items } = await request('GET', `/stores/${storeId}/books?q=${encodeURIComponent('三体')}`);
const [book] = items;

// Orders use Socket.IO. A socket that connects without a cursor starts at the current events.
const socket = io(url, { auth: { token } });
const ready = new Promise((resolve) => socket.once('room:ready', resolve));
socket.on('connect_error', ({ message }) => console.log(`waiting  ${message}`));
await ready;

// The acknowledgement carries the answer: { ok: true, data, seq } or { ok: false, error }. After a timeout or an error with
// `error.retryable`, send the same message with the same key again: it takes effect once.
const send = (name, message) => socket.timeout(5_000).emitWithAck(name, message);
const place = {
  storeId,
  items: [{ bookId: book.bookId, count: 1 }],
  expectedTotal: book.price,
  key: crypto.randomUUID(),
};
const placed = await send('order:place', place);
const { orderId, allowed } = placed.data;
console.log(`placed   ${orderId.slice(-6)}, now ${allowed.join(' or ')}`);
const again = await send('order:place', place);
console.log(`again    ${again.data.orderId.slice(-6)}, replayed: ${again.replayed}`);
const refused = await send('order:pay', { orderId, key: crypto.randomUUID() });
console.log(`refused  ${refused.error.code}, ${JSON.stringify(refused.error.details)}`);

// `seq` numbers the events of this buyer without gaps: 1, 2, 3 … Answers and pushes both carry it.
const last = { buyer: placed.seq };
socket.disconnect();
await request('POST', `/orders/${orderId}/cancel`, { token, body: { reason: 'too dear' } });

// A socket that connects with a cursor first receives the events after it, in order, and then `room:ready`.
const reconnected = io(url, { auth: { token, last } });
reconnected.on('order:status', ({ seq, status, cancelReason }) =>
  console.log(`missed   ${seq}: ${status}, ${cancelReason}`),
);
reconnected.on('room:ready', ({ rooms }) => {
  console.log(`ready    up to date with ${rooms.buyer?.head}`);
  reconnected.disconnect();
});
