import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Answer } from '../../src/contract/wire.js';
import { HubProcess } from '../support/hub.process.js';
import { lockFile } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);
const EXITS_WITHIN_MS = 10_000;
/** So many that they are still being answered when the hub no longer waits for messages that are on their way. */
const READS = 2_000;

/** SIGTERM, when things are not as they should be. What it does on a good day: durability.spec.ts. */
describe('a hub that is asked to end', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let hub: HubProcess;
  let buyer: Person;
  let users = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    if (!isServer) return;
    proxy = await TcpProxy.before(database.url);
    await proxy.open();
  });
  beforeEach(async () => {
    hub = await HubProcess.start({ ...database, url: isServer ? proxy.url : database.url });
    buyer = await hub.register(`buyer-${++users}`);
    await buyer.connect();
  });
  afterAll(async () => {
    if (isServer) await proxy.close();
    await database.drop();
  });

  /** The server says nothing; or the file is locked by somebody else. Gives what ends that. */
  async function stuck(): Promise<() => unknown> {
    if (isServer) {
      proxy.freeze();
      return () => proxy.thaw();
    }
    const { release } = await lockFile(database);
    return release;
  }
  const ends = (ms: number) => Promise.race([hub.ended, sleep(ms).then(() => 'still runs')]);
  const deposit = () => buyer.post('/wallet/deposits', { amount: 1 }).catch(() => undefined);

  test('while its database is stuck, ends well all the same, in time', async () => {
    const freed = await stuck();
    deposit();
    await sleep(200);
    hub.signal('SIGTERM');
    expect(await ends(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await freed();
  });

  test('twice, does not wait any longer', async () => {
    const freed = await stuck();
    deposit();
    await sleep(200);
    hub.signal('SIGTERM');
    await sleep(200);
    hub.signal('SIGTERM');
    expect(await ends(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await freed();
  });

  test('with nothing to do, is gone in a moment, and is not ready meanwhile', async () => {
    const told = new Promise((resolve) => buyer.socket?.once('hub:draining', resolve));
    hub.signal('SIGTERM');
    await told;
    const ready = await fetch(`${hub.url}/health/ready`).then(
      ({ status }) => status,
      () => 'gone',
    );
    expect([503, 'gone']).toContain(ready);
    expect(await ends(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await expect(fetch(`${hub.url}/health/live`)).rejects.toThrow();
  });

  test('with more to answer than can be done in a moment, answers it all before it cuts the line', async () => {
    const answers: Answer<unknown>[] = [];
    const read = () => buyer.send('order:list', { role: 'buyer' }).then((answer) => answers.push(answer));
    const first = read();
    for (const _ of range(READS)) void read();
    const cut = new Promise((resolve) => buyer.socket?.once('disconnect', resolve));
    await first;
    hub.signal('SIGTERM');
    expect(await ends(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await cut;
    expect(answers).toHaveLength(1 + READS);
    for (const answer of answers) if (!answer.ok) expect(answer.error.code).toBe('UNAVAILABLE');
  });
});
