import { createECDH, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CreatedKey } from '../../src/contract/auth.js';
import type { PushKey, Subscribed } from '../../src/contract/push.js';
import { isPoint, publicKeyOf } from '../../src/platform/http/p256.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import { BrowserSubscription } from '../support/push.endpoint.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range, stopBoth, twoHubs } from '../support/ways.js';

/** An address: a name would wait for the name server of the machine. */
const ENDPOINT = 'https://9.9.9.9/send/';
const browser = (endpoint = ENDPOINT + randomBytes(9).toString('hex')) => new BrowserSubscription(endpoint).toJSON();
const subscribe = (person: Person, subscription: object) =>
  person.post<Subscribed & Failure>('/push/subscriptions', { subscription });
const remove = (person: Person, subscriptionId: string) =>
  person.request<Failure>('DELETE', `/push/subscriptions/${subscriptionId}`, undefined, {});

describe('push subscriptions', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  const ownerOf = async ({ endpoint }: { endpoint: string }) => {
    const sql = 'SELECT user_id AS userId FROM push_subscriptions WHERE endpoint = ?';
    return (await hub.rows<{ userId: string }>(sql, [endpoint])).map(({ userId }) => userId);
  };

  test('are made with the hub’s key and deleted by their user only', async () => {
    const [user, other] = [await hub.person(), await hub.person()];
    const { status, body } = await user.get<PushKey>('/push/key');
    expect([status, Object.keys(body)]).toEqual([200, ['key']]);
    expect(isPoint(body.key)).toBe(true);
    const made = await subscribe(user, browser());
    expect([made.status, Object.keys(made.body)]).toEqual([201, ['subscriptionId']]);
    const { subscriptionId } = made.body;
    const notFound = { code: 'NOT_FOUND', details: { what: 'subscription' } };
    const foreign = await remove(other, subscriptionId);
    expect([foreign.status, foreign.body.error]).toEqual([404, expect.objectContaining(notFound)]);
    expect((await remove(user, subscriptionId)).status).toBe(204);
    const again = await remove(user, subscriptionId);
    expect([again.status, again.body.error]).toEqual([404, expect.objectContaining(notFound)]);
  });

  test('of one browser have one id, and belong to who subscribed last', async () => {
    const [user, other] = [await hub.person(), await hub.person()];
    const subscription = browser();
    const ids = await Promise.all(range(5).map(async () => (await subscribe(user, subscription)).body.subscriptionId));
    expect(new Set(ids).size).toBe(1);
    expect(await ownerOf(subscription)).toEqual([user.userId]);
    expect((await subscribe(other, subscription)).status).toBe(201);
    expect(await ownerOf(subscription)).toEqual([other.userId]);
  });

  test('are twenty a user at most, however many are made at once', async () => {
    const user = await hub.person();
    const all = range(25).map(() => browser());
    const answers = await Promise.all(all.map((subscription) => subscribe(user, subscription)));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(5);
    for (const { body } of refused) expect(body.error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: '' }] });
    const kept = all[answers.findIndex(({ status }) => status === 201)];
    expect((await subscribe(user, kept ?? {})).status).toBe(201);
    const { subscriptionId = '' } = answers.find(({ status }) => status === 201)?.body ?? {};
    expect((await remove(user, subscriptionId)).status).toBe(204);
    expect((await subscribe(user, browser())).status).toBe(201);
  });

  const withKeys = (keys: object) => ({ ...browser(), keys: { ...browser().keys, ...keys } });
  const compressed = () => createECDH('prime256v1').generateKeys('base64url', 'compressed');
  const offCurve = () => Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url');
  test.each<[string, () => object, string]>([
    ['http', () => browser('http://9.9.9.9/send/a'), 'subscription.endpoint'],
    ['a name and a password', () => browser('https://ann:secret@9.9.9.9/a'), 'subscription.endpoint'],
    ['a fragment', () => browser('https://9.9.9.9/a#b'), 'subscription.endpoint'],
    ['no address', () => browser('9.9.9.9'), 'subscription.endpoint'],
    ['a long address', () => browser(ENDPOINT + 'a'.repeat(2_000)), 'subscription.endpoint'],
    ['a private address', () => browser('https://10.0.0.1/send'), 'subscription.endpoint'],
    ['a loopback address', () => browser('https://127.0.0.1/send'), 'subscription.endpoint'],
    ['a link-local address', () => browser('https://169.254.169.254/send'), 'subscription.endpoint'],
    ['a private IPv6 address', () => browser('https://[fd00::1]/send'), 'subscription.endpoint'],
    ['this machine by name', () => browser('https://localhost/send'), 'subscription.endpoint'],
    ['a time that is a text', () => ({ ...browser(), expirationTime: 'never' }), 'subscription.expirationTime'],
    ['a compressed point', () => withKeys({ p256dh: compressed() }), 'subscription.keys.p256dh'],
    ['a point off the curve', () => withKeys({ p256dh: offCurve() }), 'subscription.keys.p256dh'],
    ['a short secret', () => withKeys({ auth: randomBytes(15).toString('base64url') }), 'subscription.keys.auth'],
    ['a long secret', () => withKeys({ auth: randomBytes(17).toString('base64url') }), 'subscription.keys.auth'],
    ['no keys', () => ({ ...browser(), keys: undefined }), 'subscription.keys'],
    ['another key', () => withKeys({ more: 'x' }), 'subscription.keys'],
    ['another field', () => ({ ...browser(), more: 1 }), 'subscription'],
  ])('with %s are refused', async (_, subscription, path) => {
    const user = await hub.person();
    const { status, body } = await subscribe(user, subscription());
    expect([status, body.error.code]).toEqual([400, 'BAD_MESSAGE']);
    expect(faultPaths(body.error)[0]).toContain(path);
    expect(await hub.rows('SELECT 1 FROM push_subscriptions WHERE user_id = ?', [user.userId])).toEqual([]);
  });

  test.each([
    ['a number of milliseconds', () => ({ ...browser(), expirationTime: 1_800_000_000_000 })],
    ['no time', () => ({ ...browser(), expirationTime: undefined })],
    [
      'padded keys',
      () => {
        const { keys, ...rest } = browser();
        return { ...rest, keys: { p256dh: `${keys.p256dh}=`, auth: `${keys.auth}==` } };
      },
    ],
  ])('with %s are taken', async (_, subscription) => {
    expect((await subscribe(await hub.person(), subscription())).status).toBe(201);
  });

  test('need the right to read', async () => {
    const user = await hub.person();
    const { body } = await user.post<CreatedKey>('/auth/keys', { name: 'till', rights: ['buy'] });
    const till = new Person(hub, user.userId, body.secret);
    for (const answer of [await subscribe(till, browser()), await till.get<Failure>('/push/key')]) {
      expect([answer.status, (answer.body as Failure).error.details]).toEqual([403, { right: 'read' }]);
    }
    const nobody = new Person(hub, 'nobody', '');
    expect((await nobody.get('/push/key')).status).toBe(401);
  });

  test('are exported without their keys, and deleted with their user', async () => {
    const user = await hub.person();
    const subscription = browser();
    await subscribe(user, subscription);
    const response = await fetch(`${hub.url}/me/export`, { headers: { authorization: `Bearer ${user.token}` } });
    const text = await response.text();
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const exported = lines.filter(({ type }) => type === 'subscription');
    expect(exported).toEqual([
      {
        type: 'subscription',
        subscriptionId: expect.any(String),
        endpoint: subscription.endpoint,
        createdAt: expect.any(String),
      },
    ]);
    expect(text).not.toContain(subscription.keys.auth);
    expect((await user.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    for (const table of ['push_subscriptions', 'push_cursors', 'push_presence']) {
      expect(await hub.rows(`SELECT * FROM ${table} WHERE user_id = ?`, [user.userId])).toEqual([]);
    }
  });
});

describe('the key that signs push messages', () => {
  test('is made once, by hubs that start together too, and kept', async () => {
    const { here, there } = await twoHubs();
    const [one, other] = [await here.person(), await here.person()];
    const at = (hub: TestHub, { userId, token }: Person) => new Person(hub, userId, token);
    const answers = await Promise.all(
      range(8).flatMap(() => [at(here, one), at(there, other)].map((person) => person.get<PushKey>('/push/key'))),
    );
    const keys = new Set(answers.map(({ body }) => body.key));
    expect(keys.size).toBe(1);
    expect(await here.rows('SELECT name FROM vapid_keys')).toHaveLength(1);
    await stopBoth(here, there);
  });

  test('is the operator’s, if there is one', async () => {
    const pair = createECDH('prime256v1');
    const publicKey = pair.generateKeys('base64url');
    const privateKey = Buffer.from(pair.getPrivateKey('hex').padStart(64, '0'), 'hex').toString('base64url');
    expect(publicKeyOf(privateKey)).toBe(publicKey);
    const hub = await TestHub.start({ vapidKeys: { publicKey, privateKey } });
    expect((await (await hub.person()).get<PushKey>('/push/key')).body).toEqual({ key: publicKey });
    expect(await hub.rows('SELECT * FROM vapid_keys')).toEqual([]);
    await hub.stop();
  });
});
