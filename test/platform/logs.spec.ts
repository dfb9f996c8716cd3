import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knock } from '../support/handshake.js';
import { TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { rawHttp } from '../support/raw.http.js';
import { createTestDatabase } from '../support/test.database.js';

const WARN = 40;

describe('the log', () => {
  const book = new LogBook();
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'debug', trustProxy: true }, undefined, book);
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
  });
  afterAll(() => hub.stop());

  test('joins a message with its batch by an id and a number', async () => {
    await buyer.place(seller);
    await until('the message is written down', () => book.lines('message', { message: 'order:place' }).length > 0);
    const [message] = book.lines('message', { message: 'order:place' });
    expect(message).toMatchObject({ way: 'socket', code: 'OK', user: buyer.userId, ms: expect.any(Number) });
    const [batch] = book.lines('batch', { batch: message?.batch });
    expect(batch).toMatchObject({ commands: 1, ids: [message?.id], ms: expect.any(Number) });
  });

  test('bears the id that a request brings, and the answer bears it too', async () => {
    const { headers } = await buyer.post('/wallet/deposits', { amount: 1 }, { 'X-Request-Id': 'shop:42.a-b' });
    expect(headers.get('x-request-id')).toBe('shop:42.a-b');
    const of = () => book.lines('message', { id: 'shop:42.a-b' });
    await until('the request is written down', () => of().length > 0);
    expect(of()).toMatchObject([{ way: 'http', message: 'POST /wallet/deposits', code: 'OK', user: buyer.userId }]);
    expect(book.lines('batch', { batch: of()[0]?.batch })).toMatchObject([{ ids: ['shop:42.a-b'] }]);
  });

  test.each([['a\u009b31mred'], ['{"level":60}'], ['x'.repeat(65)], ['two words'], ['']])(
    'takes no id that could be anything else: %j',
    async (id) => {
      const { headers } = await buyer.get('/health/live', { 'X-Request-Id': id });
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{8}\.[0-9a-z]+$/);
    },
  );

  test('leads from an errorId to the line with the stack, and says which message it stopped', async () => {
    const { orderId } = await buyer.place(seller);
    await hub.database.transaction((tx) =>
      tx.query('UPDATE orders SET items = ? WHERE order_id = ?', ['{broken', orderId]),
    );
    const error = await buyer.isRefused('order:get', { orderId });
    expect(error.code).toBe('INTERNAL');
    const [fault] = book.lines('fault', { errorId: (error.details as { errorId: string }).errorId });
    expect(fault?.error).toContain('at ');
    await until('the message is written down', () => book.lines('message', { id: fault?.id }).length > 0);
    expect(book.lines('message', { id: fault?.id })).toMatchObject([{ message: 'order:get', code: 'INTERNAL' }]);
    // What the database holds is not told, not even in the log.
    expect(fault?.error).not.toContain('broken');
  });

  test('is one JSON line an event, whatever a client puts into names, ids and headers', async () => {
    const nasty = 'a\r\n{"level":60,"msg":"forged"}\u001b[2J\u009b31m\u2028';
    await buyer.sendRaw(nasty, { [nasty]: nasty });
    await buyer.sendRaw('order:pay', { orderId: nasty, key: nasty });
    await knock(hub, { token: nasty });
    await hub
      .person()
      .then((person) => person.post('/auth/login', { userId: nasty, password: nasty, terminal: nasty }));
    await rawHttp(hub, 'GET', `/${encodeURIComponent(nasty)}?q=${encodeURIComponent(nasty)}`, {
      headers: { 'x-forwarded-for': '1.2.3.4\u009b2J', 'user-agent': 'x\u009b2J', authorization: 'Bearer \u009b2J' },
    });
    await until('a handshake was refused', () => book.lines('security', { event: 'handshake-refused' }).length > 0);
    expect(book.written.length).toBeGreaterThan(20);
    for (const line of book.written) {
      expect(line.endsWith('\n')).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/\p{Cc}/u);
    }
    expect(book.lines('forged')).toEqual([]);
  });

  describe('of security', () => {
    const told = async (event: string, about: Record<string, unknown> = {}) => {
      await until(`${event} is told`, () => book.lines('security', { event, ...about }).length > 0);
      return book.lines('security', { event, ...about }).at(-1);
    };

    test('tells of a login that failed, whose account it was about and where it came from', async () => {
      const { userId } = await hub.register();
      await buyer.post('/auth/login', { userId, password: 'not the password' });
      expect(await told('login-failed', { user: userId })).toMatchObject({
        level: WARN,
        code: 'UNAUTHENTICATED',
        address: expect.stringMatching(/127\.0\.0\.1|::1/),
        id: expect.any(String),
      });
    });

    test('tells of a token, a handshake and an origin that were refused', async () => {
      await rawHttp(hub, 'GET', '/wallet', { headers: { authorization: 'Bearer nobody' } });
      expect(await told('token-refused')).toMatchObject({ code: 'UNAUTHENTICATED' });
      await knock(hub, { token: 'nobody' });
      expect(await told('handshake-refused')).toMatchObject({ code: 'UNAUTHENTICATED', address: expect.any(String) });
      await knock(hub, { token: buyer.token }, { headers: { origin: 'https://elsewhere.example' } });
      expect(await told('origin-refused')).toMatchObject({ address: expect.any(String) });
    });

    test("tells of somebody who reaches for another's order, and of sessions that end", async () => {
      const { orderId } = await buyer.place(seller);
      const stranger = await hub.person();
      await stranger.isRefused('order:get', { orderId });
      expect(await told('forbidden', { user: stranger.userId })).toMatchObject({ code: 'FORBIDDEN' });
      await stranger.post('/auth/logout');
      expect(await told('sessions-ended', { user: stranger.userId })).toMatchObject({ code: 'logout' });
    });

    test('does not become a flood when the refusals are one, but all are counted', async () => {
      const before = book.lines('security', { event: 'token-refused' }).length;
      const counted = async () => {
        const { body } = await buyer.get<string>('/metrics');
        return Number(/order_hub_security_events_total\{event="token-refused"\} (\d+)/.exec(body)?.[1]);
      };
      const countedBefore = await counted();
      for (let n = 0; n < 200; n++) await rawHttp(hub, 'GET', '/wallet', { headers: { authorization: 'Bearer no' } });
      await until('all are counted', async () => (await counted()) === countedBefore + 200);
      expect(book.lines('security', { event: 'token-refused' }).length - before).toBeLessThanOrEqual(40);
    });
  });
});

describe('the log at its usual level', () => {
  test('says nothing of messages that go well, or that are refused in the course of business', async () => {
    const book = new LogBook();
    const hub = await TestHub.start({ logLevel: 'info' }, undefined, book);
    const [seller, buyer] = [await hub.seller(), await hub.buyer()];
    const { orderId } = await buyer.place(seller);
    await buyer.does('order:pay', { orderId });
    await buyer.isRefused('order:pay', { orderId });
    await buyer.get('/orders?role=buyer');
    await hub.stop();
    expect(book.written).toEqual([]);
  });
});

describe('a log that nobody reads', () => {
  test('stops neither the hub nor its end', async () => {
    const database = await createTestDatabase();
    const hub = await HubProcess.start(database, { LOG_LEVEL: 'debug' }, { unheard: true });
    const buyer = await hub.register('buyer');
    const dropped = async () => {
      const { body } = await buyer.get<string>('/metrics');
      return Number(/order_hub_log_lines_dropped_total (\d+)/.exec(body)?.[1]);
    };
    const ask = () => buyer.isRefused('order:get', { orderId: 'none' });
    await until('lines are dropped', async () => {
      await Promise.all(Array.from({ length: 1_000 }, ask));
      return (await dropped()) > 0;
    });
    expect((await ask()).code).toBe('ORDER_NOT_FOUND');
    buyer.disconnect();
    await hub.terminate();
    expect(hub.hasEnded).toBe(true);
    await database.drop();
  });
});
