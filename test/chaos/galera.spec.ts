import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ENDS_WITHIN_MS, randomOf, report, seconds, seed, sized } from '../support/chaos.js';
import { createOnEveryNode } from '../support/galera.js';
import { HubCluster } from '../support/hub.cluster.js';
import { MarketRun } from '../support/market.run.js';
import type { TestDatabase } from '../support/test.database.js';

const HUBS = 3;
/** The commands of a store conflict at three nodes; on two cores more clients add nothing but retries. */
const CLIENTS = sized(24, 60);
const ACKS_CUT = 1 / 50;
const KILL_EVERY_MS = { min: 2_000, max: 5_000 };
const TIMES = { UNPAID_TTL_SECONDS: '2', AUTO_RECEIVE_SECONDS: '1' };

let nodes: TestDatabase[];
let cluster: HubCluster;
beforeAll(async () => {
  nodes = await createOnEveryNode();
});
afterAll(async () => {
  await cluster?.stop();
  await nodes[0]?.drop();
});

test(
  `hubs on three Galera nodes that all write lose, duplicate and reorder nothing for ${CLIENTS} clients that move between them`,
  async () => {
    const random = randomOf('galera');
    const run = await MarketRun.start(
      nodes[0] as TestDatabase,
      { clients: CLIENTS, urls: () => cluster.urls, seed, waitForDue: true },
      async () => {
        cluster = await HubCluster.start(nodes, HUBS, { variables: TIMES, ackCuts: ACKS_CUT, random });
      },
    );
    const end = Date.now() + seconds * 1_000;
    for (let kill = 0; Date.now() < end; kill++) {
      await sleep(KILL_EVERY_MS.min + random() * (KILL_EVERY_MS.max - KILL_EVERY_MS.min));
      await cluster.kill(kill % HUBS);
    }
    const faults = await run.finish();
    report(`${HUBS} hubs on ${nodes.length} nodes`, {
      'hubs killed': cluster.kills,
      'acknowledgements cut': cluster.cutAcks,
      ...run.counts(),
      faults: faults.length,
    });
    expect(faults).toEqual([]);
    expect(cluster.complaints).toBe('');
  },
  ENDS_WITHIN_MS,
);
