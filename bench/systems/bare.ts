// The floor of the transport: a Socket.IO server that answers, tells both parties, and does nothing else. There is no order,
// no money, no check of what is said: whatever does more on Socket.IO as it comes costs more.
import { createServer } from 'node:http';
import process from 'node:process';
import { Server } from 'socket.io';
import { v7 as uuidv7 } from 'uuid';
import { announce, authenticator, openDatabase } from './parts.js';

const database = await openDatabase();
const authenticate = authenticator(database);
const sellers = new Map<string, string>();
for (const { storeId, ownerId } of await database.read.query(
  'SELECT store_id AS storeId, owner_id AS ownerId FROM stores',
))
  sellers.set(storeId, ownerId);

const STATUSES = ['placed', 'paid', 'shipped', 'received'];
/** Everybody who was ever connected has a number, which stands in the ids of orders: so no order needs to be kept. */
const people: string[] = [...sellers.values()];
const numbers = new Map(people.map((userId, number) => [userId, number]));
const DIGITS = 6;

const http = createServer();
const server = new Server(http, { serveClient: false });
server.use(async (socket, next) => {
  const userId = await authenticate(socket.handshake.auth.token);
  socket.data.userId = userId;
  await socket.join([`buyer:${userId}`, `seller:${userId}`]);
  next(userId ? undefined : new Error('UNAUTHENTICATED'));
});
server.on('connection', (socket) => {
  const { userId } = socket.data;
  if (!numbers.has(userId)) numbers.set(userId, people.push(userId) - 1);
  socket.on('order:place', ({ storeId }, acknowledge) => {
    const sellerId = sellers.get(storeId) ?? '';
    tell(userId, idOf(userId, sellerId), storeId, userId, sellerId, 1, acknowledge);
  });
  for (const [index, name] of ['order:pay', 'order:ship', 'order:receive'].entries()) {
    socket.on(name, ({ orderId }, acknowledge) => {
      const [buyerId, sellerId] = [-2 * DIGITS, -DIGITS].map(
        (start) => people[Number(orderId.slice(start, start + DIGITS || undefined))] ?? '',
      ) as [string, string];
      tell(userId, orderId, `store-of-${sellerId}`, buyerId, sellerId, index + 2, acknowledge);
    });
  }
});

/** As long as the hub's ids, and as costly to make. */
function idOf(...parties: string[]): string {
  const inside = parties.map((userId) => String(numbers.get(userId)).padStart(DIGITS, '0'));
  return uuidv7().slice(0, -2 * DIGITS) + inside.join('');
}

/** Everything is as large as the hub's own answer and events are. Nothing is checked, nothing is kept. */
function tell(
  ...[by, orderId, storeId, buyerId, sellerId, version, acknowledge]: [
    ...[by: string, orderId: string, storeId: string, buyerId: string, sellerId: string, version: number],
    acknowledge: (answer: object) => void,
  ]
): void {
  const status = STATUSES[version - 1];
  const at = new Date().toISOString();
  const items = [{ bookId: 'book-1', title: 'Book 1', count: 1, price: 1_000 }];
  const reached = (by: number) => (version >= by ? at : null);
  const times = { placedAt: at, expiresAt: at, paidAt: reached(2), shippedAt: reached(3), receivedAt: reached(4) };
  const sent = version >= 3 ? { carrier: 'SF', trackingNo: `SF${orderId.slice(-10)}` } : {};
  const rest = { cancelledAt: null, carrier: null, trackingNo: null, ...sent, cancelReason: null };
  const allowed = version < 3 ? ['pay', 'cancel'].slice(version - 1) : version === 3 ? ['receive'] : [];
  const about = { orderId, version, status, storeId, buyerId, sellerId, total: 1_000 };
  acknowledge({ ok: true, data: { ...about, items, ...times, ...rest, allowed }, seq: version });
  const push = {
    seq: version,
    ...about,
    previous: version > 1 ? STATUSES[version - 2] : null,
    by,
    at,
    ...(version === 3 ? sent : {}),
  };
  server.to(`buyer:${buyerId}`).emit('order:status', { role: 'buyer', ...push });
  server.to(`seller:${sellerId}`).emit('order:status', { role: 'seller', ...push });
}

http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => announce(http));
