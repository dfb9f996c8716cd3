import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { codeOf, device, stopBoth, twoHubs } from '../support/ways.js';

describe('rights that end between two messages', () => {
  let here: TestHub;
  let there: TestHub;
  let seller: Person;
  beforeAll(async () => {
    ({ here, there } = await twoHubs());
    seller = await here.seller([{ stock: 1_000 }]);
  });
  afterAll(() => stopBoth(here, there));

  const order = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });

  /** The ways in which a session ends before its time, each by another device than the one that speaks. */
  const endings: [string, (other: Person) => Promise<{ status: number }>][] = [
    ['a logout', (other) => other.post('/auth/logout')],
    ['leaving for good', (other) => other.post('/auth/unregister', { password: PASSWORD })],
  ];

  test.each(endings)(
    'by %s: what is said after it was answered takes no effect, and is not answered with a yes',
    async (_, end) => {
      const user = await here.register();
      const speaking = await device(user, here).connect();
      expect(codeOf(await speaking.send('order:list', { role: 'buyer' }))).toBe('OK');
      expect((await end(user)).status).toBe(204);
      const stock = await seller.stock();
      // The socket is cut, so an answer may never come; a yes must not.
      const said = speaking.socket?.timeout(2_000).emitWithAck('order:place', order());
      const answer = await Promise.resolve(said).catch(() => undefined as Answer<unknown> | undefined);
      expect(answer === undefined ? 'cut' : codeOf(answer)).toMatch(/^(cut|UNAUTHENTICATED)$/);
      expect(await seller.stock()).toBe(stock);
      expect((await user.get('/wallet')).status).toBe(401);
      expect((await user.post('/orders', order())).status).toBe(401);
      await expect(device(user, here).connect()).rejects.toThrow('UNAUTHENTICATED');
    },
  );

  test('by a new password: every other device is out, with its sockets and its token', async () => {
    const user = await here.register();
    const login = { userId: user.userId, password: PASSWORD };
    const { token } = (await user.post<{ token: string }>('/auth/login', login)).body;
    const thief = await device(Object.assign(device(user, here), { token }), here).connect();
    const change = { oldPassword: PASSWORD, newPassword: 'another horse battery' };
    expect((await user.post('/auth/password', change)).status).toBe(204);
    await until('the thief is cut', () => thief.endings.length > 0 && thief.socket?.connected === false);
    expect(thief.endings).toEqual(['password']);
    expect((await thief.get('/wallet')).status).toBe(401);
    expect((await user.get('/wallet')).status).toBe(200);
  });

  test('of messages and a logout that are sent together, each is carried out wholly or not at all', async () => {
    const user = await here.register();
    const speaking = await device(user, here).connect();
    const stock = await seller.stock();
    const said = Array.from({ length: 20 }, () => speaking.socket?.timeout(3_000).emitWithAck('order:place', order()));
    const logout = user.post('/auth/logout');
    const answers = await Promise.all(said.map((one) => Promise.resolve(one).catch(() => undefined)));
    expect((await logout).status).toBe(204);
    const yes = answers.filter((answer) => answer?.ok).length;
    // What was under way when its session ended is finished; what waited is dropped.
    await here.hub.app.get(CommandQueue).idle();
    const placed = await here.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [user.userId]);
    // One whose acknowledgement was cut off may have been placed; one that was refused was not.
    expect(placed.length).toBeGreaterThanOrEqual(yes);
    expect(await seller.stock()).toBe(stock - placed.length);
  });

  test('are heard of by the other hub: sockets there are cut, and the token is dead there at once', async () => {
    const user = await here.register();
    const elsewhere = await device(user, there).connect();
    expect((await user.post('/auth/logout')).status).toBe(204);
    expect((await elsewhere.get('/wallet')).status).toBe(401);
    await until('the socket on the other hub is cut', () => elsewhere.socket?.connected === false, 5_000);
    expect(elsewhere.endings).toEqual(['logout']);
  });
});

describe('a frame that somebody has recorded', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let orderId: string;

  /** Speaks Engine.IO by hand: what is given goes out as it is, after the handshake if there is a token. */
  async function replay(token: string | undefined, frames: string[]): Promise<string[]> {
    const line = new WebSocket(`${hub.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const heard: string[] = [];
    line.on('message', (data) => heard.push(String(data)));
    await once(line, 'open');
    if (token !== undefined) {
      line.send(`40${JSON.stringify({ token })}`);
      await until('the socket is ready', () => heard.some((text) => text.includes('room:ready')));
    }
    for (const frame of frames) line.send(frame);
    await until(
      'it is answered or cut',
      () => line.readyState === WebSocket.CLOSED || heard.some((text) => text.startsWith('43')),
    );
    line.terminate();
    return heard.filter((text) => text.startsWith('43'));
  }

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller();
    buyer = await hub.buyer(5_000);
    orderId = (await buyer.place(seller)).orderId;
  });
  afterAll(() => hub.stop());

  const pay = () => `420["order:pay",{"orderId":"${orderId}","key":"recorded"}]`;

  test('is told its first answer again when it is replayed by the same user, and pays once', async () => {
    const [first = ''] = await replay(buyer.token, [pay()]);
    expect(first).toContain('"ok":true');
    const [second = ''] = await replay(buyer.token, [pay()]);
    expect(JSON.parse(second.slice(3))[0]).toEqual({ ...JSON.parse(first.slice(3))[0], replayed: true });
    expect(await buyer.balance()).toBe(4_000);
  });

  test('is refused when anybody else replays it, and nothing is answered without a token', async () => {
    const other = await hub.buyer();
    const [answer = ''] = await replay(other.token, [pay()]);
    expect(answer).toContain('"FORBIDDEN"');
    expect(await replay(undefined, [pay()])).toEqual([]);
    expect(await buyer.balance()).toBe(4_000);
    expect(await audit(hub)).toEqual([]);
  });

  test('of a handshake opens a socket while its session lives, and none after it has ended', async () => {
    const leaver = await hub.register();
    expect(await replay(leaver.token, ['420["order:list",{"role":"buyer"}]'])).toHaveLength(1);
    await leaver.post('/auth/logout');
    await expect(device(leaver, hub).connect()).rejects.toThrow('UNAUTHENTICATED');
  });
});
