import { describe, test } from '@jest/globals';
import { ENDS_WITHIN_MS, randomOf } from '../support/chaos.js';
import { HubCluster } from '../support/hub.cluster.js';
import { killUnderLoad } from '../support/kill.scenario.js';

/** Crash points in turn; the last kill of each round happens at a random moment. */
const POINTS = ['after-signature', 'after-commit', 'after-events', 'before-answers'];

describe('a hub on its embedded database, killed during commits', () => {
  const random = randomOf('embedded');

  test(
    'executes every command exactly once',
    () =>
      killUnderLoad({
        target: 'a hub on the embedded database',
        clients: 20,
        uptimeMs: { min: 100, max: 900 },
        random,
        startHubs: (database) => HubCluster.start(database, 1, { crash: true }),
        kill: async (cluster, index) => {
          const point = POINTS[index % (POINTS.length + 1)];
          if (point === undefined) return cluster.kill(0);
          await cluster.hub(0).crashAt(point, 1 + Math.floor(random() * 5));
          await cluster.restart(0);
        },
      }),
    ENDS_WITHIN_MS,
  );
});
