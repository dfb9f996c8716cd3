// The protocol itself, with nothing but fetch and socket.io-client, for those who write a client of their own: a buyer who
// says everything twice, goes away, and comes back to hear what was missed.
//   node examples/bare.js [store id]
import process from 'node:process';
import { io } from 'socket.io-client';

const url = process.env.HUB_URL ?? 'http://127.0.0.1:3000';
const storeId = process.argv[2] ?? 'corner-books';

// Joining, wallets, stores and books are HTTP. A refusal is { error: { code, message, retryable, details } }.
async function request(method, path, { token, body } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
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

// Orders are Socket.IO. A socket that does not say what it has heard last begins at the present.
const socket = io(url, { auth: { token } });
const ready = new Promise((resolve) => socket.once('room:ready', resolve));
socket.on('connect_error', ({ message }) => console.log(`waiting  ${message}`));
await ready;

// Every message is answered through its acknowledgement: { ok: true, data, seq } or { ok: false, error }. Where no answer
// comes, or one with `error.retryable`, the same message is sent again with the same key: it takes effect once.
const say = (name, message) => socket.timeout(5_000).emitWithAck(name, message);
const place = {
  storeId,
  items: [{ bookId: book.bookId, count: 1 }],
  expectedTotal: book.price,
  key: crypto.randomUUID(),
};
const placed = await say('order:place', place);
const { orderId, allowed } = placed.data;
console.log(`placed   ${orderId.slice(-6)}, now ${allowed.join(' or ')}`);
const again = await say('order:place', place);
console.log(`again    ${again.data.orderId.slice(-6)}, replayed: ${again.replayed}`);
const refused = await say('order:pay', { orderId, key: crypto.randomUUID() });
console.log(`refused  ${refused.error.code}, ${JSON.stringify(refused.error.details)}`);

// `seq` numbers the changes that this buyer is told of: 1, 2, 3 … The answers and the pushes both have it.
const last = { buyer: placed.seq };
socket.disconnect();
await request('POST', `/orders/${orderId}/cancel`, { token, body: { reason: 'too dear' } });

// A socket that says what it has heard last is first told what came after that, in order, and then `room:ready`.
const back = io(url, { auth: { token, last } });
back.on('order:status', ({ seq, status, cancelReason }) => console.log(`missed   ${seq}: ${status}, ${cancelReason}`));
back.on('room:ready', ({ rooms }) => {
  console.log(`ready    up to date with ${rooms.buyer.head}`);
  back.disconnect();
});
