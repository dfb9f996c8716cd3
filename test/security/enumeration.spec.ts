import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PASSWORD, TestHub } from '../support/hub.js';
import { stranger } from '../support/refused.js';
import { range } from '../support/ways.js';

const SAMPLES = 20;

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

describe('the existence of a user', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  /** The CPU time of a login, which is less noisy than its duration. */
  async function cpuMsOf(userId: string): Promise<number> {
    const before = process.cpuUsage();
    const { status } = await stranger(hub).post('/auth/login', { userId, password: 'not the password' });
    const { user, system } = process.cpuUsage(before);
    expect(status).toBe(401);
    return (user + system) / 1_000;
  }

  test('does not show in the cost of a login: existing, unregistered and unknown users are all hashed', async () => {
    const existing = await hub.register();
    const unregistered = await hub.register();
    await unregistered.post('/auth/unregister', { password: PASSWORD });
    const costs = {
      [existing.userId]: [] as number[],
      [unregistered.userId]: [] as number[],
      'never-was': [] as number[],
    };
    // Interleaved, so that noise affects all users alike. The first samples are warm-up.
    for (const _ of range(SAMPLES + 1)) {
      for (const [userId, samples] of Object.entries(costs)) samples.push(await cpuMsOf(userId));
    }
    const [known = 0, ...otherMedians] = Object.values(costs).map((samples) => median(samples.slice(1)));
    // Without hashing, the cost would be a twentieth; the queries differ far less.
    for (const other of otherMedians) {
      expect(other).toBeGreaterThan(known * 0.6);
      expect(other).toBeLessThan(known * 1.6);
    }
  });

  test('does not show in order or store lists', async () => {
    const person = await hub.person();
    const owner = await hub.seller();
    const path = `/orders?role=buyer&storeId=${owner.storeId}`;
    expect((await person.get(path)).body).toEqual((await person.get('/orders?role=buyer&storeId=nowhere')).body);
    expect((await person.get('/stores?owner=never-was')).body).toEqual(
      (await person.get(`/stores?owner=${person.userId}`)).body,
    );
  });
});
