import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PASSWORD, TestHub } from '../support/hub.js';
import { stranger } from '../support/refused.js';
import { range } from '../support/ways.js';

const SAMPLES = 20;

/** The middle one of several measurements. */
function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

describe('whether a user exists', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  /** What a login costs the hub's processor. Its duration would say as much, but also what else the machine does. */
  async function cpuMsOf(userId: string): Promise<number> {
    const before = process.cpuUsage();
    const { status } = await stranger(hub).post('/auth/login', { userId, password: 'not the password' });
    const { user, system } = process.cpuUsage(before);
    expect(status).toBe(401);
    return (user + system) / 1_000;
  }

  test('is not told by what a login costs: one who is there, one who left and one who never was are hashed alike', async () => {
    const there = await hub.register();
    const left = await hub.register();
    await left.post('/auth/unregister', { password: PASSWORD });
    const costs = { [there.userId]: [] as number[], [left.userId]: [] as number[], 'never-was': [] as number[] };
    // In turn, so that what else the process does falls on all of them. The first of each warms the hub up.
    for (const _ of range(SAMPLES + 1)) {
      for (const [userId, own] of Object.entries(costs)) own.push(await cpuMsOf(userId));
    }
    const [known = 0, ...others] = Object.values(costs).map((own) => median(own.slice(1)));
    // Without a hash it would be a twentieth; what is asked of the database differs by far less.
    for (const other of others) {
      expect(other).toBeGreaterThan(known * 0.6);
      expect(other).toBeLessThan(known * 1.6);
    }
  });

  test('is told by nothing that is asked of orders, wallets or rooms', async () => {
    const asker = await hub.person();
    const owner = await hub.seller();
    const anyone = `/orders?role=buyer&storeId=${owner.storeId}`;
    expect((await asker.get(anyone)).body).toEqual((await asker.get('/orders?role=buyer&storeId=nowhere')).body);
    expect((await asker.get('/stores?owner=never-was')).body).toEqual(
      (await asker.get(`/stores?owner=${asker.userId}`)).body,
    );
  });
});
