import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { report, sized } from '../support/chaos.js';
import { DatabaseCluster } from '../support/database.cluster.js';
import { until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const ROUNDS = sized(1, 5);
/** Longer than a cluster takes to notice that members are gone. */
const ALONE_MS = 8_000;
const ROUND_WITHIN_MS = 120_000;

const cluster = DatabaseCluster.underTest();
let own: TestDatabase;
let hub: HubProcess;

beforeAll(async () => {
  await cluster.switchTo(0);
  own = await createTestDatabase();
  hub = await HubProcess.start(own);
}, ROUND_WITHIN_MS);
afterAll(async () => {
  await hub.kill();
  await cluster.restore();
});

/** How long the hub takes to say so. */
async function msUntilReadiness(status: 200 | 503): Promise<number> {
  const start = performance.now();
  const says = async () => (await fetch(`${hub.url}/health/ready`)).status === status;
  await until(`readiness is ${status}`, says, ROUND_WITHIN_MS);
  return Math.round(performance.now() - start);
}

test(
  'a hub on a node without quorum is not ready and acknowledges nothing, and is ready again when the others are back',
  async () => {
    const lostMs: number[] = [];
    const backMs: number[] = [];
    const seller = await hub.register('seller');
    for (const round of range(ROUNDS)) {
      const amount = 100 + round;
      const { body: before } = await seller.get<{ balance: number }>('/wallet');
      cluster.takeQuorumFrom(0);
      lostMs.push(await msUntilReadiness(503));
      const alone = performance.now();
      const key = `alone-${round}`;
      const refused = await seller.post('/wallet/deposits', { amount, key });
      expect(refused).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
      await sleep(Math.max(0, ALONE_MS - (performance.now() - alone)));
      await cluster.giveQuorumTo(0);
      backMs.push(await msUntilReadiness(200));
      const repeated = async () => (await seller.post('/wallet/deposits', { amount, key })).status === 200;
      await until('the deposit is taken', repeated, ROUND_WITHIN_MS);
      expect((await seller.get('/wallet')).body).toMatchObject({ balance: before.balance + amount });
    }
    report('a node without quorum', { lostMs, backMs, faults: 0 });
  },
  ROUNDS * ROUND_WITHIN_MS,
);
