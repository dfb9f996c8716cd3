// The transport's floor: a Socket.IO server that acknowledges and pushes to both parties, without orders, money or
// validation. Any system on plain Socket.IO costs more.
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
const COMMANDS = ['place', 'pay', 'ship', 'receive'];
/** Order ids embed the parties' indexes here, so that no order needs to be stored. */
const users: string[] = [...sellers.values()];
const userIndexes = new Map(users.map((userId, index) => [userId, index]));
const INDEX_DIGITS = 6;

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
  if (!userIndexes.has(userId)) userIndexes.set(userId, users.push(userId) - 1);
  socket.on('order:place', ({ storeId }, acknowledge) => {
    const sellerId = sellers.get(storeId) ?? '';
    publish(userId, orderIdOf(userId, sellerId), storeId, userId, sellerId, 1, acknowledge);
  });
  for (const [index, name] of ['order:pay', 'order:ship', 'order:receive'].entries()) {
    socket.on(name, ({ orderId }, acknowledge) => {
      const [buyerId, sellerId] = [-2 * INDEX_DIGITS, -INDEX_DIGITS].map(
        (start) => users[Number(orderId.slice(start, start + INDEX_DIGITS || undefined))] ?? '',
      ) as [string, string];
      publish(userId, orderId, `store-of-${sellerId}`, buyerId, sellerId, index + 2, acknowledge);
    });
  }
});

/** As long as the hub's ids, and as expensive to generate. */
function orderIdOf(...parties: string[]): string {
  const indexes = parties.map((userId) => String(userIndexes.get(userId)).padStart(INDEX_DIGITS, '0'));
  return uuidv7().slice(0, -2 * INDEX_DIGITS) + indexes.join('');
}

/** Acknowledges and pushes payloads of the same size as the hub's. */
function publish(
  ...[actorId, orderId, storeId, buyerId, sellerId, version, acknowledge]: [
    ...[actorId: string, orderId: string, storeId: string, buyerId: string, sellerId: string, version: number],
    acknowledge: (answer: object) => void,
  ]
): void {
  const status = STATUSES[version - 1];
  const at = new Date().toISOString();
  const items = [{ bookId: 'book-1', title: 'Book 1', count: 1, price: 1_000 }];
  const reachedAt = (minVersion: number) => (version >= minVersion ? at : null);
  const times = {
    placedAt: at,
    expiresAt: at,
    paidAt: reachedAt(2),
    shippedAt: reachedAt(3),
    receivedAt: reachedAt(4),
  };
  const shipment = version >= 3 ? { carrier: 'SF', trackingNo: `SF${orderId.slice(-10)}` } : {};
  const rest = { cancelledAt: null, carrier: null, trackingNo: null, ...shipment, cancelReason: null };
  const allowed = version < 3 ? ['pay', 'cancel'].slice(version - 1) : version === 3 ? ['receive'] : [];
  const summary = { orderId, version, status, storeId, buyerId, sellerId, total: 1_000 };
  acknowledge({ ok: true, data: { ...summary, number: version, items, ...times, ...rest, allowed }, seq: version });
  const push = {
    seq: version,
    ...summary,
    previous: version > 1 ? STATUSES[version - 2] : null,
    command: COMMANDS[version - 1],
    by: actorId,
    at,
    ...(version === 3 ? shipment : {}),
  };
  server.to(`buyer:${buyerId}`).emit('order:status', { role: 'buyer', ...push });
  server.to(`seller:${sellerId}`).emit('order:status', { role: 'seller', ...push });
}

http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => announce(http));
