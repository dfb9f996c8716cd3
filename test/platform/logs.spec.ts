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
  const log = new LogBook();
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'debug', trustProxy: true }, undefined, log);
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
  });
  afterAll(() => hub.stop());

  test('links a message to its batch by id and batch number', async () => {
    await buyer.place(seller);
    await until('the message is logged', () => log.lines('message', { message: 'order:place' }).length > 0);
    const [message] = log.lines('message', { message: 'order:place' });
    expect(message).toMatchObject({ way: 'socket', code: 'OK', user: buyer.userId, ms: expect.any(Number) });
    const [batch] = log.lines('batch', { batch: message?.batch });
    expect(batch).toMatchObject({ commands: 1, ids: [message?.id], ms: expect.any(Number) });
  });

  test('uses the request id of the client, and returns it', async () => {
    const { headers } = await buyer.post('/wallet/deposits', { amount: 1 }, { 'X-Request-Id': 'shop:42.a-b' });
    expect(headers.get('x-request-id')).toBe('shop:42.a-b');
    const lines = () => log.lines('message', { id: 'shop:42.a-b' });
    await until('the request is logged', () => lines().length > 0);
    expect(lines()).toMatchObject([{ way: 'http', message: 'POST /wallet/deposits', code: 'OK', user: buyer.userId }]);
    expect(log.lines('batch', { batch: lines()[0]?.batch })).toMatchObject([{ ids: ['shop:42.a-b'] }]);
  });

  test.each([['a\u009b31mred'], ['{"level":60}'], ['x'.repeat(65)], ['two words'], ['']])(
    'replaces an unsafe request id: %j',
    async (id) => {
      const { headers } = await buyer.get('/health/live', { 'X-Request-Id': id });
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{8}\.[0-9a-z]+$/);
    },
  );

  test('links an errorId to its stack and message', async () => {
    const { orderId } = await buyer.place(seller);
    await hub.database.transaction((tx) =>
      tx.query('UPDATE orders SET items = ? WHERE order_id = ?', ['{broken', orderId]),
    );
    const error = await buyer.isRefused('order:get', { orderId });
    expect(error.code).toBe('INTERNAL');
    const [logLine] = log.lines('fault', { errorId: (error.details as { errorId: string }).errorId });
    expect(logLine?.error).toContain('at ');
    await until('the message is logged', () => log.lines('message', { id: logLine?.id }).length > 0);
    expect(log.lines('message', { id: logLine?.id })).toMatchObject([{ message: 'order:get', code: 'INTERNAL' }]);
    // Database contents must not leak, not even into the log.
    expect(logLine?.error).not.toContain('broken');
  });

  test('stays one JSON line per event with malicious names, ids and headers', async () => {
    const malicious = 'a\r\n{"level":60,"msg":"forged"}\u001b[2J\u009b31m\u2028';
    await buyer.sendRaw(malicious, { [malicious]: malicious });
    await buyer.sendRaw('order:pay', { orderId: malicious, key: malicious });
    await knock(hub, { token: malicious });
    await hub
      .person()
      .then((person) => person.post('/auth/login', { userId: malicious, password: malicious, terminal: malicious }));
    await rawHttp(hub, 'GET', `/${encodeURIComponent(malicious)}?q=${encodeURIComponent(malicious)}`, {
      headers: { 'x-forwarded-for': '1.2.3.4\u009b2J', 'user-agent': 'x\u009b2J', authorization: 'Bearer \u009b2J' },
    });
    await until('a handshake was refused', () => log.lines('security', { event: 'handshake-refused' }).length > 0);
    expect(log.written.length).toBeGreaterThan(20);
    for (const line of log.written) {
      expect(line.endsWith('\n')).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/\p{Cc}/u);
    }
    expect(log.lines('forged')).toEqual([]);
  });

  describe('of security events', () => {
    const logged = async (event: string, fields: Record<string, unknown> = {}) => {
      await until(`${event} is logged`, () => log.lines('security', { event, ...fields }).length > 0);
      return log.lines('security', { event, ...fields }).at(-1);
    };

    test('records a failed login with its account and address', async () => {
      const { userId } = await hub.register();
      await buyer.post('/auth/login', { userId, password: 'not the password' });
      expect(await logged('login-failed', { user: userId })).toMatchObject({
        level: WARN,
        code: 'UNAUTHENTICATED',
        address: expect.stringMatching(/127\.0\.0\.1|::1/),
        id: expect.any(String),
      });
    });

    test('records refused tokens, handshakes and origins', async () => {
      await rawHttp(hub, 'GET', '/wallet', { headers: { authorization: 'Bearer nobody' } });
      expect(await logged('token-refused')).toMatchObject({ code: 'UNAUTHENTICATED' });
      await knock(hub, { token: 'nobody' });
      expect(await logged('handshake-refused')).toMatchObject({ code: 'UNAUTHENTICATED', address: expect.any(String) });
      await knock(hub, { token: buyer.token }, { headers: { origin: 'https://elsewhere.example' } });
      expect(await logged('origin-refused')).toMatchObject({ address: expect.any(String) });
    });

    test("records access to another user's order, and ended sessions", async () => {
      const { orderId } = await buyer.place(seller);
      const stranger = await hub.person();
      await stranger.isRefused('order:get', { orderId });
      expect(await logged('forbidden', { user: stranger.userId })).toMatchObject({ code: 'FORBIDDEN' });
      await stranger.post('/auth/logout');
      expect(await logged('sessions-ended', { user: stranger.userId })).toMatchObject({ code: 'logout' });
    });

    test('is rate-limited during a flood of refusals, while the metrics count all', async () => {
      const before = log.lines('security', { event: 'token-refused' }).length;
      const metricValue = async () => {
        const { body } = await buyer.get<string>('/metrics');
        return Number(/order_hub_security_events_total\{event="token-refused"\} (\d+)/.exec(body)?.[1]);
      };
      const countBefore = await metricValue();
      for (let n = 0; n < 200; n++) await rawHttp(hub, 'GET', '/wallet', { headers: { authorization: 'Bearer no' } });
      await until('all refusals are counted', async () => (await metricValue()) === countBefore + 200);
      expect(log.lines('security', { event: 'token-refused' }).length - before).toBeLessThanOrEqual(40);
    });
  });
});

describe('the log at level info', () => {
  test('omits successful messages and business refusals', async () => {
    const log = new LogBook();
    const hub = await TestHub.start({ logLevel: 'info' }, undefined, log);
    const [seller, buyer] = [await hub.seller(), await hub.buyer()];
    const { orderId } = await buyer.place(seller);
    await buyer.does('order:pay', { orderId });
    await buyer.isRefused('order:pay', { orderId });
    await buyer.get('/orders?role=buyer');
    await hub.stop();
    expect(log.written).toEqual([]);
  });
});

describe('the start of a hub that others can reach', () => {
  const WARNING = 'anybody who reaches this hub can make money from nothing';

  test.each([
    ['warns where money comes from nothing', { HOST: '0.0.0.0' }, true],
    ['does not where a provider brings it', { HOST: '0.0.0.0', FUNDS: 'provider' }, false],
    ['nor on an address of this machine only', { HOST: '127.0.0.1' }, false],
  ])('%s', async (_, variables, warns) => {
    const database = await createTestDatabase();
    const hub = await HubProcess.start(database, { LOG_LEVEL: 'warn', ...variables });
    await hub.terminate();
    expect(hub.complaints.includes(WARNING)).toBe(warns);
    await database.drop();
  });
});

describe('a log that is not read', () => {
  test('blocks neither the hub nor its shutdown', async () => {
    const database = await createTestDatabase();
    const hub = await HubProcess.start(database, { LOG_LEVEL: 'debug' }, { ignoreStderr: true });
    const buyer = await hub.register('buyer');
    const dropped = async () => {
      const { body } = await buyer.get<string>('/metrics');
      return Number(/order_hub_log_lines_dropped_total (\d+)/.exec(body)?.[1]);
    };
    const request = () => buyer.isRefused('order:get', { orderId: 'none' });
    await until('lines are dropped', async () => {
      await Promise.all(Array.from({ length: 1_000 }, request));
      return (await dropped()) > 0;
    });
    expect((await request()).code).toBe('ORDER_NOT_FOUND');
    buyer.disconnect();
    await hub.terminate();
    expect(hub.hasEnded).toBe(true);
    await database.drop();
  });
});
