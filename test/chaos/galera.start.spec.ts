import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sized } from '../support/chaos.js';
import { createOnEveryNode } from '../support/galera.js';
import { TestHub } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { pick, range } from '../support/ways.js';

const ROUNDS = sized(2, 15);
/** A dead leader is waited for ten seconds. */
const STARTS_WITHIN_MS = 60_000;

/** Locks by name, which a single server has for all, belong to one node of a cluster. */
describe('three hubs on three nodes of an empty Galera cluster', () => {
  test(
    'start at once: one creates the schema, the others wait',
    async () => {
      for (const _ of range(ROUNDS)) {
        const nodes = await createOnEveryNode();
        const hubs = await Promise.all(nodes.map((node) => HubProcess.start(node)));
        const ready = await Promise.all(hubs.map(({ url }) => fetch(`${url}/health/ready`)));
        expect(ready.map(({ status }) => status)).toEqual([200, 200, 200]);
        expect(hubs.map(({ complaints }) => complaints)).toEqual(['', '', '']);
        const buyer = await pick(hubs, 0).register('everywhere');
        const there = pick(hubs, 1).person(buyer.userId, buyer.token);
        expect((await there.get('/wallet')).status).toBe(200);
        await Promise.all(hubs.map((hub) => hub.kill()));
        const hub = await TestHub.start({}, nodes[2]);
        const recorded = await hub.rows<{ name: string }>('SELECT name FROM migrations ORDER BY name');
        expect(recorded.map(({ name }) => name)).toEqual(hub.database.writer.migrations.map(({ name }) => name).sort());
        await hub.leave();
        await nodes[0]?.drop();
      }
    },
    ROUNDS * STARTS_WITHIN_MS,
  );
});

describe('a hub that dies while it migrates', () => {
  let hub: TestHub;
  beforeAll(async () => {
    const nodes = await createOnEveryNode();
    hub = await TestHub.start({}, nodes[0]);
  }, STARTS_WITHIN_MS);
  afterAll(() => hub.stop());

  test(
    'is succeeded by the next',
    async () => {
      const runner = hub.database.writer.createQueryRunner();
      await runner.query("UPDATE migration_lease SET holder = 'dead'");
      await runner.query("DELETE FROM migrations WHERE name LIKE 'RowVersions%'");
      await runner.query('ALTER TABLE books DROP COLUMN version');
      await runner.release();
      hub = await hub.restart();
      expect(await hub.rows('SELECT holder FROM migration_lease')).toEqual([{ holder: '' }]);
      expect((await hub.seller()).storeId).not.toBe('');
    },
    STARTS_WITHIN_MS,
  );
});
