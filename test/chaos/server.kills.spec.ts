import { describe, test } from '@jest/globals';
import { ENDS_WITHIN_MS, randomOf, serverUnderTest } from '../support/chaos.js';
import { HubCluster } from '../support/hub.cluster.js';
import { killUnderLoad } from '../support/kill.scenario.js';

describe('a database server killed under load', () => {
  const server = serverUnderTest();

  test(
    'keeps every acknowledged command, and retries by key settle every other one',
    () =>
      killUnderLoad({
        target: 'the database server',
        clients: 30,
        uptimeMs: { min: 300, max: 1_500 },
        random: randomOf('server kills'),
        startHubs: (database) => HubCluster.start(database, 2),
        kill: async () => {
          await server.kill();
          await server.restart();
        },
      }),
    ENDS_WITHIN_MS,
  );
});
