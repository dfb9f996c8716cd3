import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { codeOf, device, stopBoth, twoHubs } from '../support/ways.js';

describe('sessions that end between two messages', () => {
  let here: TestHub;
  let there: TestHub;
  let seller: Person;
  beforeAll(async () => {
    ({ here, there } = await twoHubs());
    seller = await here.seller([{ stock: 1_000 }]);
  });
  afterAll(() => stopBoth(here, there));

  const order = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });

  /** Ways to end a session from another device. */
  const endings: [string, (other: Person) => Promise<{ status: number }>][] = [
    ['a logout', (other) => other.post('/auth/logout')],
    ['an unregistration', (other) => other.post('/auth/unregister', { password: PASSWORD })],
  ];

  test.each(endings)('by %s: later messages have no effect and do not succeed', async (_, end) => {
    const user = await here.register();
    const client = await device(user, here).connect();
    expect(codeOf(await client.send('order:list', { role: 'buyer' }))).toBe('OK');
    expect((await end(user)).status).toBe(204);
    const stock = await seller.stock();
    // The socket is cut, so there may be no answer, but never a success.
    const pending = client.socket?.timeout(2_000).emitWithAck('order:place', order());
    const answer = await Promise.resolve(pending).catch(() => undefined as Answer<unknown> | undefined);
    expect(answer === undefined ? 'cut' : codeOf(answer)).toMatch(/^(cut|UNAUTHENTICATED)$/);
    expect(await seller.stock()).toBe(stock);
    expect((await user.get('/wallet')).status).toBe(401);
    expect((await user.post('/orders', order())).status).toBe(401);
    await expect(device(user, here).connect()).rejects.toThrow('UNAUTHENTICATED');
  });

  test('by a password change: all other devices lose their sockets and tokens', async () => {
    const user = await here.register();
    const login = { userId: user.userId, password: PASSWORD };
    const { token } = (await user.post<{ token: string }>('/auth/login', login)).body;
    const otherDevice = await device(Object.assign(device(user, here), { token }), here).connect();
    const change = { oldPassword: PASSWORD, newPassword: 'another horse battery' };
    expect((await user.post('/auth/password', change)).status).toBe(204);
    await until(
      'the other device is cut',
      () => otherDevice.endings.length > 0 && otherDevice.socket?.connected === false,
    );
    expect(otherDevice.endings).toEqual(['password']);
    expect((await otherDevice.get('/wallet')).status).toBe(401);
    expect((await user.get('/wallet')).status).toBe(200);
  });

  test('by a logout concurrent with messages: each command executes fully or not at all', async () => {
    const user = await here.register();
    const client = await device(user, here).connect();
    const stock = await seller.stock();
    const pending = Array.from({ length: 20 }, () => client.socket?.timeout(3_000).emitWithAck('order:place', order()));
    const logout = user.post('/auth/logout');
    const answers = await Promise.all(pending.map((promise) => Promise.resolve(promise).catch(() => undefined)));
    expect((await logout).status).toBe(204);
    const acknowledged = answers.filter((answer) => answer?.ok).length;
    // A running batch completes; queued commands are dropped.
    await here.hub.app.get(CommandQueue).idle();
    const placed = await here.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [user.userId]);
    // An order may have been placed without its acknowledgement, but never after a refusal.
    expect(placed.length).toBeGreaterThanOrEqual(acknowledged);
    expect(await seller.stock()).toBe(stock - placed.length);
  });

  test('are revoked on other hubs: sockets are cut, and the token is refused immediately', async () => {
    const user = await here.register();
    const remoteDevice = await device(user, there).connect();
    expect((await user.post('/auth/logout')).status).toBe(204);
    expect((await remoteDevice.get('/wallet')).status).toBe(401);
    await until('the socket on the other hub is cut', () => remoteDevice.socket?.connected === false, 5_000);
    expect(remoteDevice.endings).toEqual(['logout']);
  });
});

describe('a replayed frame', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let orderId: string;

  /** Sends raw Engine.IO frames, after a handshake if there is a token. Returns the acknowledgements. */
  async function replayFrames(token: string | undefined, frames: string[]): Promise<string[]> {
    const socket = new WebSocket(`${hub.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const received: string[] = [];
    socket.on('message', (data) => received.push(String(data)));
    await once(socket, 'open');
    if (token !== undefined) {
      socket.send(`40${JSON.stringify({ token })}`);
      await until('the socket is ready', () => received.some((text) => text.includes('room:ready')));
    }
    for (const frame of frames) socket.send(frame);
    await until(
      'the frame is answered or the connection is cut',
      () => socket.readyState === WebSocket.CLOSED || received.some((text) => text.startsWith('43')),
    );
    socket.terminate();
    return received.filter((text) => text.startsWith('43'));
  }

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller();
    buyer = await hub.buyer(5_000);
    orderId = (await buyer.place(seller)).orderId;
  });
  afterAll(() => hub.stop());

  const pay = () => `420["order:pay",{"orderId":"${orderId}","key":"recorded"}]`;

  test('returns the first answer to the same user, and pays once', async () => {
    const [first = ''] = await replayFrames(buyer.token, [pay()]);
    expect(first).toContain('"ok":true');
    const [second = ''] = await replayFrames(buyer.token, [pay()]);
    expect(JSON.parse(second.slice(3))[0]).toEqual({ ...JSON.parse(first.slice(3))[0], replayed: true });
    expect(await buyer.balance()).toBe(4_000);
  });

  test('is refused for another user, and not answered without a token', async () => {
    const other = await hub.buyer();
    const [answer = ''] = await replayFrames(other.token, [pay()]);
    expect(answer).toContain('"FORBIDDEN"');
    expect(await replayFrames(undefined, [pay()])).toEqual([]);
    expect(await buyer.balance()).toBe(4_000);
    expect(await audit(hub)).toEqual([]);
  });

  test('of a handshake is accepted only while its session is valid', async () => {
    const leaver = await hub.register();
    expect(await replayFrames(leaver.token, ['420["order:list",{"role":"buyer"}]'])).toHaveLength(1);
    await leaver.post('/auth/logout');
    await expect(device(leaver, hub).connect()).rejects.toThrow('UNAUTHENTICATED');
  });
});
