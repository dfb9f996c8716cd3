import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sandboxRoutes, type TranscriptEntry } from '../../src/contract/sandbox.js';
import { openApi } from '../../src/docs/openapi.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { Person } from '../support/person.js';
import { rawHttp } from '../support/raw.http.js';
import { createTestDatabase } from '../support/test.database.js';

const DAY = 86_400_000;
const bodies: Record<keyof typeof sandboxRoutes, unknown> = {
  moveClock: { advanceMs: 0 },
  addFault: { userId: 'lin', message: 'order:pay', do: 'twice' },
  reset: undefined,
  transcript: undefined,
};
const rows = Object.entries(sandboxRoutes).map(([name, { method, path }]) => {
  const query = name === 'transcript' ? '?userId=lin' : '';
  return [method, `${path}${query}`, bodies[name as keyof typeof sandboxRoutes]] as const;
});

describe('the routes of a sandbox', () => {
  let hub: TestHub;
  let anonymous: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ sandbox: true });
    anonymous = new Person(hub, '', '');
  });
  afterAll(() => hub.stop());

  test.each(rows)('%s %s is UNKNOWN_MESSAGE without a sandbox', async (method, path, body) => {
    const usual = await TestHub.start();
    const person = new Person(usual, '', '');
    const answer = await person.request<{ error: { code: string } }>(method, path, body, {});
    const unknown = await person.request<{ error: { code: string } }>(method, '/no/such/route', body, {});
    expect([answer.status, answer.body]).toEqual([404, unknown.body]);
    expect(answer.body.error.code).toBe('UNKNOWN_MESSAGE');
    await usual.stop();
  });

  test.each(rows)('%s %s is open, and answers by its schema', async (method, path, body) => {
    const answer = await anonymous.request(method, path, body, {});
    const route = Object.values(sandboxRoutes).find((one) => path.startsWith(one.path));
    expect(answer.status).toBe(route?.path === '/sandbox/reset' ? 204 : 200);
    if (route && 'data' in route) expect(route.data.safeParse(answer.body).error).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['no milliseconds', {}],
    ['less than none', { advanceMs: -1 }],
    ['half of one', { advanceMs: 0.5 }],
    ['more than 400 days', { advanceMs: 400 * DAY + 1 }],
    ['a text', { advanceMs: '1000' }],
    ['null', { advanceMs: null }],
    ['a field too many', { advanceMs: 1, to: 'tomorrow' }],
    ['no object', '[]'],
    ['no JSON', '{'],
  ])('a clock moved by %s is BAD_MESSAGE, and stays', async (_, body) => {
    const before = hub.now();
    const answer = await anonymous.post<{ error: { code: string } }>('/sandbox/clock', body);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'BAD_MESSAGE']);
    expect(hub.now() - before).toBeLessThan(5_000);
  });

  test('the time does not pass the year 9999', async () => {
    const state = 'UPDATE sandbox SET ahead_ms = ?';
    await hub.database.transaction((tx) => tx.query(state, [7_973 * 365.2425 * DAY]));
    const late = await hub.restart();
    const person = new Person(late, '', '');
    const { status, body } = await person.post('/sandbox/clock', { advanceMs: 400 * DAY });
    expect({ status, body }).toMatchObject({ status: 400, body: { error: { details: [{ path: 'advanceMs' }] } } });
    hub = late;
    anonymous = person;
    await person.post('/sandbox/reset');
  });

  test.each<[string, unknown]>([
    ['a body with a reset', { why: 'so' }],
    ['a query without a user', undefined],
  ])('%s is BAD_MESSAGE', async (_, body) => {
    const answer = body
      ? await anonymous.post('/sandbox/reset', body)
      : await anonymous.get('/sandbox/transcript?user=lin');
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BAD_MESSAGE' } } });
  });

  test.each([
    ['a page of another site', { origin: 'https://elsewhere.example' }],
    ['a page whose name leads here', { origin: 'http://elsewhere.example', host: 'elsewhere.example' }],
    ['no origin at all, as some pages have it', { origin: 'null' }],
  ])('are FORBIDDEN to %s', async (_, { origin, host = new URL(hub.url).host }: { origin: string; host?: string }) => {
    const { status, text } = await rawHttp(hub, 'POST', '/sandbox/reset', { headers: { host, origin } });
    expect([status, JSON.parse(text).error.code]).toEqual([403, 'FORBIDDEN']);
  });

  test('are in the documents of a sandbox only', async () => {
    const { paths } = (await anonymous.get<ReturnType<typeof openApi>>('/openapi.json')).body;
    for (const { path } of Object.values(sandboxRoutes)) {
      expect(paths).toHaveProperty([path]);
      expect(openApi().paths).not.toHaveProperty([path]);
    }
  });

  test('the transcript holds what a user said and heard, in order, and nothing secret', async () => {
    const seller = await hub.seller();
    await hub.register('lin').then((person) => person.deposit(100_000));
    const { body: login } = await anonymous.post<{ token: string }>('/auth/login', {
      userId: 'lin',
      password: PASSWORD,
    });
    const buyer = new Person(hub, 'lin', login.token);
    await buyer.connect();
    const order = await buyer.place(seller);
    await buyer.post(`/orders/${order.orderId}/pay`, { key: 'paid' });
    await buyer.isRefused('order:ship', { orderId: order.orderId });
    const secret = (await buyer.post<{ secret: string }>('/auth/keys', { name: 'till', rights: ['read'] })).body.secret;
    await buyer.post('/auth/password', { oldPassword: PASSWORD, newPassword: 'another one, a secret' });
    await buyer.hears(2);
    const { body } = await anonymous.get<{ entries: TranscriptEntry[] }>('/sandbox/transcript?userId=lin');
    const short = body.entries.map(({ direction, way, name }) => `${direction} ${way} ${name}`);
    expect(short.filter((line) => !line.includes('wallet'))).toEqual([
      'heard socket room:ready',
      'said socket order:place',
      'heard socket order:status',
      'said http POST /orders/:orderId/pay',
      'heard socket order:status',
      'said socket order:ship',
      'said http POST /auth/keys',
      'said http POST /auth/password',
    ]);
    const said = body.entries.find(({ name }) => name === 'order:place');
    expect(said).toMatchObject({
      data: { storeId: seller.storeId },
      answer: { ok: true, data: { orderId: order.orderId } },
    });
    expect(body.entries.find(({ name }) => name === 'order:ship')).toMatchObject({ answer: { ok: false } });
    expect(body.entries.find(({ name }) => name.endsWith('/pay'))).toMatchObject({
      data: { orderId: order.orderId, key: 'paid' },
      answer: { status: 200, body: { status: 'paid' } },
    });
    const times = body.entries.map(({ at }) => at);
    expect(times).toEqual([...times].sort());
    for (const hidden of [PASSWORD, 'another one, a secret', secret, login.token]) {
      expect(JSON.stringify(body)).not.toContain(hidden);
    }
  });

  test('the transcript keeps the latest thousand', async () => {
    const person = await hub.person();
    await person.connect();
    for (let message = 0; message < 1_010; message++) await person.send('order:list', { role: 'buyer', limit: 1 });
    await person.send('order:list', { role: 'seller' });
    const { body } = await anonymous.get<{ entries: TranscriptEntry[] }>(`/sandbox/transcript?userId=${person.userId}`);
    expect(body.entries).toHaveLength(1_000);
    expect(body.entries.at(-1)).toMatchObject({ data: { role: 'seller' } });
    expect(body.entries[0]).toMatchObject({ name: 'order:list', data: { role: 'buyer' } });
  });

  test('nobody, somebody else and nobody known have empty transcripts', async () => {
    const { body } = await anonymous.get('/sandbox/transcript?userId=nobody-known');
    expect(body).toEqual({ entries: [] });
  });

  test('the process says at its start what it is, and does not start beyond loopback', async () => {
    const database = await createTestDatabase();
    const process = await HubProcess.start(database, { SANDBOX: 'on', LOG_LEVEL: 'warn' });
    expect((await process.person('').post('/sandbox/clock', { advanceMs: 1_000 })).status).toBe(200);
    expect((await process.person('').post('/sandbox/reset')).status).toBe(204);
    expect(process.printed).toMatch(/SANDBOX=on: .*empty/);
    expect(await process.terminate()).toBe(0);
    const beyond = HubProcess.start(database, { SANDBOX: 'on', HOST: '0.0.0.0' });
    await expect(beyond).rejects.toThrow(/SANDBOX: on is for this machine only, and HOST is 0\.0\.0\.0/);
    await database.drop();
  });
});
