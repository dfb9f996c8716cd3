import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knock } from '../support/handshake.js';
import type { TestHub } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

/** Words that stand in every secret of the day, and nowhere else. */
const CANARY = /canary-\w+/;
const PASSWORD = 'canary-password-first';
const NEXT_PASSWORD = 'canary-password-second';

describe('a day of work at the most talkative level', () => {
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

  test('leaves no secret in the log, in an answer or in the metrics', async () => {
    const answers: unknown[] = [];
    const ask = async (work: Promise<{ body: unknown; headers: Headers }>) => {
      const { body, headers } = await work;
      answers.push(body, [...headers]);
      return body;
    };
    const buyer = hub.person('buyer');
    await ask(buyer.post('/auth/register', { userId: 'buyer', password: PASSWORD }));
    await ask(buyer.post('/auth/register', { userId: 'buyer', password: PASSWORD }));
    await ask(buyer.post('/auth/login', { userId: 'buyer', password: 'canary-password-wrong' }));
    await ask(buyer.post('/auth/login', { userId: 'buyer', password: PASSWORD, secret: 'canary-field' }));
    await ask(buyer.post('/auth/login', '{"userId":"buyer","password":"canary-password-broken'));
    const login = () => buyer.post<{ token: string }>('/auth/login', { userId: 'buyer', password: PASSWORD });
    const { body } = await login();
    const { token } = body;
    buyer.token = token;

    await ask(buyer.get('/wallet', { authorization: 'Bearer canary-token-wrong' }));
    await ask(buyer.get(`/orders?role=buyer&token=canary-query`));
    await ask(buyer.post('/wallet/deposits', { amount: 5_000, key: 'canary-key-deposit' }));
    await ask(buyer.post('/stores', { storeId: 'store' }));
    answers.push(await knock(hub as unknown as TestHub, { token: 'canary-token-socket' }));
    answers.push(await knock(hub as unknown as TestHub, { token, last: { buyer: 'canary-last' } }));
    await buyer.connect();
    answers.push(await buyer.sendRaw('order:place', { storeId: 'store', items: [], password: 'canary-payload' }));
    answers.push(await buyer.sendRaw('order:pay', { orderId: 'none', key: 'canary-key-pay' }));
    answers.push(await buyer.sendRaw('canary-message', { token }));
    await ask(buyer.post('/auth/password', { oldPassword: 'canary-password-wrong', newPassword: NEXT_PASSWORD }));
    await ask(buyer.post('/auth/password', { oldPassword: PASSWORD, newPassword: NEXT_PASSWORD }));
    await ask(buyer.post('/auth/logout'));
    await ask(buyer.get('/wallet'));
    await ask(buyer.get('/health/ready'));
    await ask(buyer.get('/metrics'));
    buyer.disconnect();

    // At this level each of these has left a line; otherwise an empty log would do.
    expect(hub.complaints).toContain('POST /auth/password');
    expect(hub.complaints).toContain('login-failed');
    expect(hub.complaints).toContain('Redis is away');
    const hash = /[0-9a-f]{64}/;
    for (const told of [hub.complaints, JSON.stringify(answers)]) {
      expect(told).not.toMatch(CANARY);
      expect(told).not.toContain(token);
      expect(told).not.toMatch(hash);
      expect(told).not.toContain('argon2');
    }
    // Of the database's address, neither the account nor its password.
    const { username, password } = new URL(database.url);
    if (password !== '') expect(hub.complaints).not.toContain(`${username}:${password}`);
  });
});
