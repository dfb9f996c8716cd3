import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Server as SocketServer } from 'socket.io';
import { createApi, HubError } from '../../src/client/connect.js';
import { type Follower, follow, isLive } from '../support/follower.js';
import { until } from '../support/hub.js';

/** What a later release may add to this contract: fields, events and error codes that this client does not know. */
const paused = {
  code: 'STORE_PAUSED',
  message: 'The store takes no orders now.',
  retryable: false,
  details: { until: null },
  later: true,
};
const refusal = { code: paused.code, message: paused.message, retryable: false, details: paused.details };
const order = { orderId: 'order', version: 2, status: 'paid', previous: 'paid', command: 'later', later: { a: 1 } };
const room = { head: 0, complete: true, later: 1 };

let http: Server;
let url: string;
const open: Follower[] = [];

/** Stands in for a hub of a release that does not exist yet. */
beforeAll(async () => {
  http = createServer((_, response) => response.writeHead(409).end(JSON.stringify({ error: paused, later: true })));
  const server = new SocketServer(http);
  server.use((socket, next) => {
    const error = Object.assign(new Error(paused.code), { data: paused });
    next(socket.handshake.auth.token === 'refused' ? error : undefined);
  });
  server.on('connection', (socket) => {
    socket.on('order:place', (_, answer) => answer({ ok: false, error: paused, later: true }));
    socket.on('order:pay', (_, answer) => answer({ ok: true, data: order, seq: 1, later: true }));
    socket.emit('later:event', { later: true });
    socket.emit('room:ready', { userId: 'ann', rooms: { buyer: room, seller: room, later: room }, currency: 'CNY' });
    socket.emit('order:status', { role: 'buyer', seq: 1, ...order });
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const { client } of open) client.close();
  http.closeAllConnections();
  http.close();
});

const page = (token: string): Follower => {
  const follower = follow(url, { token });
  open.push(follower);
  return follower;
};

test('events and fields that the client library does not know are no obstacle', async () => {
  const follower = page('valid');
  await isLive(follower);
  await until('the event arrives', () => follower.events.length > 0);
  expect(follower.events).toEqual([{ role: 'buyer', seq: 1, ...order }]);
  expect(await follower.client.pay({ orderId: 'order' })).toEqual(order);
});

test('an error code that the client library does not know reaches the caller', async () => {
  const place = { storeId: 'store', items: [{ bookId: 'book', count: 1 }] };
  const { client } = page('valid');
  for (const call of [() => client.place(place), () => createApi({ url, token: 'valid' }).call('place', place)]) {
    const error = await call().catch((rejection: unknown) => rejection);
    expect(error).toBeInstanceOf(HubError);
    expect((error as HubError).toBody()).toEqual(refusal);
  }
});

test('a connection refused with an unknown code ends, unless it may be retried', async () => {
  const { ended } = page('refused');
  await until('the client has ended', () => ended.length > 0);
  expect(ended).toEqual([paused.code]);
});
