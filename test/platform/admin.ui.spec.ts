import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';

const PASSWORD = 'canary-of-the-admin';

interface Visit {
  socket: Socket;
  error?: Error;
  /** Everything that the namespace has told. */
  told: [string, ...unknown[]][];
}

/** Knocks at the admin UI's namespace, as its page would. */
async function visit(hub: TestHub, auth: Record<string, unknown>): Promise<Visit> {
  const socket = io(`${hub.url}/admin`, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
  const told: Visit['told'] = [];
  socket.onAny((name: string, ...values) => told.push([name, ...values]));
  const error = await new Promise<Error | undefined>((resolve) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('connect_error', resolve);
  });
  return { socket, told, ...(error ? { error } : {}) };
}

describe("Socket.IO's admin UI", () => {
  test('is not there unless there is a password for it', async () => {
    const hub = await TestHub.start();
    const { error } = await visit(hub, { username: 'admin', password: '' });
    await hub.stop();
    expect(error?.message).toBe('Invalid namespace');
  });

  describe('with a password', () => {
    const book = new LogBook();
    let hub: TestHub;

    beforeAll(async () => {
      hub = await TestHub.start({ adminPassword: PASSWORD, logLevel: 'info' }, undefined, book);
    });
    afterAll(() => hub.stop());

    test.each<[string, Record<string, unknown>]>([
      ['nothing', {}],
      ['a wrong password', { username: 'admin', password: 'not the password' }],
      ['no password', { username: 'admin' }],
      ['a password that is no text', { username: 'admin', password: { length: 5 } }],
      ['the password of another name', { username: 'root', password: PASSWORD }],
      ['a session that nobody was given', { sessionId: 'x' }],
      ['an empty session', { sessionId: '' }],
    ])('refuses %s', async (_, auth) => {
      const { error, told } = await visit(hub, auth);
      expect(error?.message).toBe('invalid credentials');
      expect(told).toEqual([]);
      expect(book.lines('security', { event: 'admin-refused' }).at(-1)).toMatchObject({ address: expect.any(String) });
    });

    test('a token of a user opens nothing', async () => {
      const { token } = await hub.person();
      expect((await visit(hub, { token })).error?.message).toBe('invalid credentials');
    });

    test('tells the one who knows the password how many sockets there are, and nothing of what they say', async () => {
      const admin = await visit(hub, { username: 'admin', password: PASSWORD });
      expect(admin.error).toBeUndefined();
      const [seller, buyer] = [await hub.seller(), await hub.buyer()];
      await buyer.connect();
      await seller.connect();
      const { orderId } = await buyer.place(seller);
      await until('the numbers come', () => admin.told.some(([name]) => name === 'server_stats'));
      const before = admin.told.length;
      await until('they come again', () => admin.told.length > before);
      admin.socket.disconnect();
      expect(new Set(admin.told.map(([name]) => name))).toEqual(new Set(['session', 'config', 'server_stats']));
      const all = JSON.stringify(admin.told);
      expect(all).toContain('socketsCount');
      for (const secret of [buyer.token, buyer.userId, seller.userId, orderId, PASSWORD]) {
        expect(all).not.toContain(secret);
      }
    });

    test('lets its page come back by the session that it was given, and do nothing', async () => {
      const first = await visit(hub, { username: 'admin', password: PASSWORD });
      await until('the session is told', () => first.told.some(([name]) => name === 'session'));
      const [, sessionId] = first.told.find(([name]) => name === 'session') ?? [];
      first.socket.disconnect();
      const buyer = await (await hub.buyer()).connect();
      const { socket, error } = await visit(hub, { sessionId });
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
