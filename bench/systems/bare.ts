// The floor of the transport: a Socket.IO server that answers, tells both parties, and does nothing else.
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

interface Order {
  orderId: string;
  storeId: string;
  buyerId: string;
  sellerId: string;
  items: object[];
  version: number;
}
const orders = new Map<string, Order>();
const STATUSES = ['placed', 'paid', 'shipped', 'received'];

const http = createServer();
const server = new Server(http, { serveClient: false });
server.use(async (socket, next) => {
  const userId = await authenticate(socket.handshake.auth.token);
  socket.data.userId = userId;
  await socket.join([`buyer:${userId}`, `seller:${userId}`]);
  next(userId ? undefined : new Error('UNAUTHENTICATED'));
});
server.on('connection', (socket) => {
  socket.on('order:place', ({ storeId, items }, acknowledge) => {
    const sellerId = sellers.get(storeId) ?? '';
    change({ orderId: uuidv7(), storeId, buyerId: socket.data.userId, sellerId, items, version: 0 }, acknowledge);
  });
  for (const name of ['order:pay', 'order:ship', 'order:receive']) {
    socket.on(name, ({ orderId }, acknowledge) => {
      const order = orders.get(orderId);
      if (order) change(order, acknowledge);
    });
  }
});

/** Everything is as large as the hub's own answer and events are; nothing is checked or kept but the order's version. */
function change(order: Order, acknowledge: (answer: object) => void): void {
  order.version++;
  orders.set(order.orderId, order);
  const { orderId, storeId, buyerId, sellerId, version } = order;
  const status = STATUSES[version - 1];
  const at = new Date().toISOString();
  const items = [{ bookId: 'book-1', title: 'Book 1', count: 1, price: 1_000 }];
  const times = { placedAt: at, expiresAt: at, paidAt: null, shippedAt: null, receivedAt: null, cancelledAt: null };
  const rest = { carrier: null, trackingNo: null, cancelReason: null, allowed: ['pay', 'cancel'] };
  const about = { orderId, version, status, storeId, buyerId, sellerId, total: 1_000 };
  acknowledge({ ok: true, data: { ...about, items, ...times, ...rest }, seq: version });
  const push = { seq: version, ...about, previous: version > 1 ? STATUSES[version - 2] : null, by: buyerId, at };
  server.to(`buyer:${buyerId}`).emit('order:status', { role: 'buyer', ...push });
  server.to(`seller:${sellerId}`).emit('order:status', { role: 'seller', ...push });
}

http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => announce(http));
