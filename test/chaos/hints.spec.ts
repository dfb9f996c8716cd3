import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@redis/client';
import { audit } from '../support/audit.js';
import { report } from '../support/chaos.js';
import { DatabaseReader } from '../support/database.reader.js';
import { until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { ServerProcess } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const CHANNEL = 'order-hub:hints';
const FLOOD = 20_000;

/** Two hubs wake each other over Redis. The messages carry no data. */
describe('wakeups between hubs', () => {
  let database: TestDatabase;
  let redis: ServerProcess;
  let here: HubProcess;
  let there: HubProcess;
  let buyer: Person;
  let seller: Person;
  let sellerThere: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await ServerProcess.start('redis');
    const variables = { REDIS_URL: redis.url, LOG_LEVEL: 'info' };
    here = await HubProcess.start(database, variables);
    there = await HubProcess.start(database, variables);
    [buyer, seller] = [await here.register('buyer'), await here.register('seller')];
    seller.storeId = 'store';
    await seller.post('/stores', { storeId: 'store' });
    await seller.post('/stores/store/books', { bookId: 'book-1', title: 'Book', price: 1, stock: 10_000 });
    sellerThere = device(seller, there.person('').hub);
    await Promise.all([buyer.connect(), sellerThere.connect()]);
  }, 120_000);
  afterAll(async () => {
    for (const person of [buyer, sellerThere]) person.disconnect();
    await Promise.all([here.kill(), there.kill()]);
    await redis.stop();
    await database.drop();
  });

  const seqs = (person: Person) => person.events.map(({ seq }) => seq);
  const places = async (count: number) => {
    for (const _ of range(count)) await buyer.place(seller);
  };

  test('may be forged without any client receiving false data', async () => {
    await places(3);
    await sellerThere.hears(3);
    const forger = createClient({ url: redis.url });
    forger.on('error', () => {});
    await forger.connect();
    const event = { ...sellerThere.events[0], seq: 4, status: 'paid', version: 2 };
    const forged = [
      JSON.stringify(event),
      JSON.stringify({ role: 'seller', userId: 'seller', head: 99 }),
      JSON.stringify([['seller', 'seller', 99]]),
      '{"__proto__":{"polluted":true}}',
      '\u0000'.repeat(10),
      'x'.repeat(1_000_000),
      '['.repeat(10_000),
    ];
    for (const message of forged) await forger.publish(CHANNEL, message);
    for (const message of forged) await forger.publish('socket.io#/#', message);
    // A flood only makes the hubs poll more often.
    await Promise.all(range(FLOOD).map(() => forger.publish(CHANNEL, '')));
    await places(5);
    await sellerThere.hears(8);
    forger.destroy();
    expect(seqs(sellerThere)).toEqual(range(8).map((index) => index + 1));
    expect(seqs(buyer)).toEqual(range(8).map((index) => index + 1));
    expect([here.hasEnded, there.hasEnded]).toEqual([false, false]);
  });

  test('may be lost: no hub exits, no event is lost, and the log reports the outage and the recovery once each', async () => {
    const countOf = (what: string) => here.complaints.split('\n').filter((line) => line.includes(what)).length;
    await redis.kill();
    await places(10);
    await sellerThere.hears(18);
    await until('the log reports the outage', () => countOf('Redis is away') > 0);
    // Long enough for several reconnect attempts.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    await redis.restart();
    await until('the log reports the recovery', () => countOf('Redis is back') > 0);
    await places(2);
    await sellerThere.hears(20);
    expect([countOf('Redis is away'), countOf('Redis is back')]).toEqual([1, 1]);
    expect(seqs(sellerThere)).toEqual(range(20).map((index) => index + 1));
    expect([here.hasEnded, there.hasEnded]).toEqual([false, false]);
    report('wakeups', { forged: FLOOD + 14, 'events received on the other hub': seqs(sellerThere).length });
  });

  test('are reported as down while the account has no right to the channel, or loses it', async () => {
    const admin = createClient({ url: redis.url });
    await admin.connect();
    const setUser = (...rules: string[]) => admin.sendCommand(['ACL', 'SETUSER', 'deaf', ...rules]);
    await setUser('on', '>secret', '+@all', 'resetchannels');
    const url = Object.assign(new URL(redis.url), { username: 'deaf', password: 'secret' }).href;
    const deaf = await HubProcess.start(database, { REDIS_URL: url, LOG_LEVEL: 'info' });
    const stateOf = async (hub: HubProcess) =>
      (await hub.person('').get<{ redis: string }>('/health/ready')).body.redis;
    await until('the log reports the missing right', () => deaf.complaints.includes('NOPERM'));
    expect([await stateOf(deaf), await stateOf(here)]).toEqual(['down', 'up']);
    await setUser('allchannels');
    await until('the channel is up', async () => (await stateOf(deaf)) === 'up');
    await setUser('resetchannels');
    await until('the channel is down', async () => (await stateOf(deaf)) === 'down');
    await setUser('allchannels');
    await until('the channel is up again', async () => (await stateOf(deaf)) === 'up');
    expect(deaf.complaints).not.toContain('secret');
    await deaf.kill();
    admin.destroy();
  });

  test('leave the database consistent', async () => {
    const reader = new DatabaseReader(database);
    expect(await audit(reader)).toEqual([]);
    await reader.close();
  });
});
