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
/** Enough to outlast the grace period for messages in flight. */
const READS = 2_000;

/** SIGTERM under adverse conditions. durability.spec.ts covers the normal case. */
describe('a hub on SIGTERM', () => {
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

  /** Freezes the server, or locks the file from another process. Returns the undo function. */
  async function blockDatabase(): Promise<() => unknown> {
    if (isServer) {
      proxy.freeze();
      return () => proxy.thaw();
    }
    const { release } = await lockFile(database);
    return release;
  }
  const exit = (ms: number) => Promise.race([hub.ended, sleep(ms).then(() => 'still runs')]);
  const deposit = () => buyer.post('/wallet/deposits', { amount: 1 }).catch(() => undefined);

  test('exits with 0 in time while its database is blocked', async () => {
    const unblock = await blockDatabase();
    deposit();
    await sleep(200);
    hub.signal('SIGTERM');
    expect(await exit(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await unblock();
  });

  test('exits with 0 on a second signal while its database is blocked', async () => {
    const unblock = await blockDatabase();
    deposit();
    await sleep(200);
    hub.signal('SIGTERM');
    await sleep(200);
    hub.signal('SIGTERM');
    expect(await exit(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await unblock();
  });

  test('exits promptly when idle, and is not ready meanwhile', async () => {
    const drained = new Promise((resolve) => buyer.socket?.once('hub:draining', resolve));
    hub.signal('SIGTERM');
    await drained;
    const ready = await fetch(`${hub.url}/health/ready`).then(
      ({ status }) => status,
      () => 'refused',
    );
    expect([503, 'refused']).toContain(ready);
    expect(await exit(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await expect(fetch(`${hub.url}/health/live`)).rejects.toThrow();
  });

  test('answers a large backlog before it disconnects', async () => {
    const answers: Answer<unknown>[] = [];
    const read = () => buyer.send('order:list', { role: 'buyer' }).then((answer) => answers.push(answer));
    const first = read();
    for (const _ of range(READS)) void read();
    const disconnected = new Promise((resolve) => buyer.socket?.once('disconnect', resolve));
    await first;
    hub.signal('SIGTERM');
    expect(await exit(EXITS_WITHIN_MS)).toEqual({ code: 0, signal: null });
    await disconnected;
    expect(answers).toHaveLength(1 + READS);
    const codes = answers.map((answer) => (answer.ok ? 'OK' : answer.error.code));
    expect(codes.filter((code) => !['OK', 'UNAVAILABLE', 'OVERLOADED'].includes(code))).toEqual([]);
  });
});
