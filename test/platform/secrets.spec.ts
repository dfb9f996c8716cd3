import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knock } from '../support/handshake.js';
import type { TestHub } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

/** Part of every secret in this test. */
const CANARY = /canary-\w+/;
const PASSWORD = 'canary-password-first';
const NEXT_PASSWORD = 'canary-password-second';

describe('a hub at log level trace', () => {
  let database: TestDatabase;
  let hub: HubProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database, {
      LOG_LEVEL: 'trace',
      REDIS_URL: 'redis://canary-user:canary-redis@127.0.0.1:1',
      ADMIN_PASSWORD: 'canary-of-the-admin',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://canary-user:canary-traces@127.0.0.1:1',
    });
  });
  afterAll(async () => {
    await hub.kill();
    await database.drop();
  });

  test('exposes no secret in the log, answers or metrics', async () => {
    const answers: unknown[] = [];
    const collect = async (response: Promise<{ body: unknown; headers: Headers }>) => {
      const { body, headers } = await response;
      answers.push(body, [...headers]);
      return body;
    };
    const buyer = hub.person('buyer');
    await collect(buyer.post('/auth/register', { userId: 'buyer', password: PASSWORD }));
    await collect(buyer.post('/auth/register', { userId: 'buyer', password: PASSWORD }));
    await collect(buyer.post('/auth/login', { userId: 'buyer', password: 'canary-password-wrong' }));
    await collect(buyer.post('/auth/login', { userId: 'buyer', password: PASSWORD, secret: 'canary-field' }));
    await collect(buyer.post('/auth/login', '{"userId":"buyer","password":"canary-password-broken'));
    const login = () => buyer.post<{ token: string }>('/auth/login', { userId: 'buyer', password: PASSWORD });
    const { body } = await login();
    const { token } = body;
    buyer.token = token;

    await collect(buyer.get('/wallet', { authorization: 'Bearer canary-token-wrong' }));
    await collect(buyer.get(`/orders?role=buyer&token=canary-query`));
    await collect(buyer.post('/wallet/deposits', { amount: 5_000, key: 'canary-key-deposit' }));
    await collect(buyer.post('/stores', { storeId: 'store' }));
    answers.push(await knock(hub as unknown as TestHub, { token: 'canary-token-socket' }));
    answers.push(await knock(hub as unknown as TestHub, { token, last: { buyer: 'canary-last' } }));
    await buyer.connect();
    answers.push(await buyer.sendRaw('order:place', { storeId: 'store', items: [], password: 'canary-payload' }));
    answers.push(await buyer.sendRaw('order:pay', { orderId: 'none', key: 'canary-key-pay' }));
    answers.push(await buyer.sendRaw('canary-message', { token }));
    await collect(buyer.post('/auth/password', { oldPassword: 'canary-password-wrong', newPassword: NEXT_PASSWORD }));
    await collect(buyer.post('/auth/password', { oldPassword: PASSWORD, newPassword: NEXT_PASSWORD }));
    await collect(buyer.post('/auth/logout'));
    await collect(buyer.get('/wallet'));
    await collect(buyer.get('/health/ready'));
    await collect(buyer.get('/metrics'));
    buyer.disconnect();

    // Proves that the log is not just empty.
    expect(hub.complaints).toContain('POST /auth/password');
    expect(hub.complaints).toContain('login-failed');
    expect(hub.complaints).toContain('Redis is away');
    const hash = /[0-9a-f]{64}/;
    for (const output of [hub.complaints, JSON.stringify(answers)]) {
      expect(output).not.toMatch(CANARY);
      expect(output).not.toContain(token);
      expect(output).not.toMatch(hash);
      expect(output).not.toContain('argon2');
    }
    // The database URL's credentials must not appear either.
    const { username, password } = new URL(database.url);
    if (password !== '') expect(hub.complaints).not.toContain(`${username}:${password}`);
  });
});
