import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';

const PASSWORD = 'canary-of-the-admin';

interface AdminConnection {
  socket: Socket;
  error?: Error;
  /** Every event of the namespace. */
  received: [string, ...unknown[]][];
}

/** Connects to the admin UI's namespace, as its page would. */
async function connectAdmin(hub: TestHub, auth: Record<string, unknown>): Promise<AdminConnection> {
  const socket = io(`${hub.url}/admin`, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
  const received: AdminConnection['received'] = [];
  socket.onAny((name: string, ...values) => received.push([name, ...values]));
  const error = await new Promise<Error | undefined>((resolve) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('connect_error', resolve);
  });
  return { socket, received, ...(error ? { error } : {}) };
}

describe("Socket.IO's admin UI", () => {
  test('is disabled without a password', async () => {
    const hub = await TestHub.start();
    const { error } = await connectAdmin(hub, { username: 'admin', password: '' });
    await hub.stop();
    expect(error?.message).toBe('Invalid namespace');
  });

  describe('with a password', () => {
    const log = new LogBook();
    let hub: TestHub;

    beforeAll(async () => {
      hub = await TestHub.start({ adminPassword: PASSWORD, logLevel: 'info' }, undefined, log);
    });
    afterAll(() => hub.stop());

    test.each<[string, Record<string, unknown>]>([
      ['no credentials', {}],
      ['a wrong password', { username: 'admin', password: 'not the password' }],
      ['no password', { username: 'admin' }],
      ['a password that is not a string', { username: 'admin', password: { length: 5 } }],
      ['another user name', { username: 'root', password: PASSWORD }],
      ['an unknown session', { sessionId: 'x' }],
      ['an empty session', { sessionId: '' }],
    ])('refuses %s', async (_, auth) => {
      const { error, received } = await connectAdmin(hub, auth);
      expect(error?.message).toBe('invalid credentials');
      expect(received).toEqual([]);
      expect(log.lines('security', { event: 'admin-refused' }).at(-1)).toMatchObject({ address: expect.any(String) });
    });

    test("refuses a user's token", async () => {
      const { token } = await hub.person();
      expect((await connectAdmin(hub, { token })).error?.message).toBe('invalid credentials');
    });

    test('shows statistics, but no users, tokens or messages', async () => {
      const admin = await connectAdmin(hub, { username: 'admin', password: PASSWORD });
      expect(admin.error).toBeUndefined();
      const [seller, buyer] = [await hub.seller(), await hub.buyer()];
      await buyer.connect();
      await seller.connect();
      const { orderId } = await buyer.place(seller);
      await until('the statistics arrive', () => admin.received.some(([name]) => name === 'server_stats'));
      const before = admin.received.length;
      await until('the statistics arrive again', () => admin.received.length > before);
      admin.socket.disconnect();
      expect(new Set(admin.received.map(([name]) => name))).toEqual(new Set(['session', 'config', 'server_stats']));
      const all = JSON.stringify(admin.received);
      expect(all).toContain('socketsCount');
      for (const secret of [buyer.token, buyer.userId, seller.userId, orderId, PASSWORD]) {
        expect(all).not.toContain(secret);
      }
    });

    test('resumes by its session id, and is read-only', async () => {
      const first = await connectAdmin(hub, { username: 'admin', password: PASSWORD });
      await until('the session id arrives', () => first.received.some(([name]) => name === 'session'));
      const [, sessionId] = first.received.find(([name]) => name === 'session') ?? [];
      first.socket.disconnect();
      const buyer = await (await hub.buyer()).connect();
      const { socket, error } = await connectAdmin(hub, { sessionId });
      expect(error).toBeUndefined();
      socket.emit('_disconnect', '/', true);
      socket.emit('emit', '/', undefined, 'order:status', { role: 'buyer', seq: 1 });
      expect(await buyer.balance()).toBe(1_000_000);
      expect((await buyer.send('order:list', { role: 'buyer' })).ok).toBe(true);
      expect(buyer.events).toEqual([]);
      socket.disconnect();
    });
  });
});
