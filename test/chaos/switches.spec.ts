import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { report, sized } from '../support/chaos.js';
import { DatabaseCluster } from '../support/database.cluster.js';
import { DefaultClient } from '../support/default.client.js';
import { TestHub } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { OrderLoad } from '../support/order.load.js';
import { TcpProxy } from '../support/proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const SWITCHES = sized(2, 9);
const KILLS = sized(1, 3);
const STARTS = sized(1, 10);
const EVERY_MS = sized(2_000, 5_000);
const SELLERS = 3;
const BUYERS = 6;
const HUBS = 2;
const NODES = 3;
const FAULT_WITHIN_MS = 120_000;

const cluster = DatabaseCluster.underTest();

/** Where the hubs find the node that takes writes, and what happens to it. */
interface Writer {
  url: string;
  faults: { name: string; count: number; cause(index: number): Promise<void> }[];
  close(): Promise<void>;
}

/** Every node is named in the URL. A tool switches the writer, or the node dies. */
async function named({ url }: TestDatabase): Promise<Writer> {
  await cluster.switchTo(0);
  return {
    url: cluster.urlOf(url),
    faults: [
      { name: 'switches', count: SWITCHES, cause: (index) => cluster.switchTo((index + 1) % NODES) },
      { name: 'kills', count: KILLS, cause: () => cluster.killWriter() },
    ],
    close: () => cluster.restore(),
  };
}

/** A proxy leads to a node that takes writes, as all of them do. A switch cuts the old connections, and new ones reach the next. */
async function behindProxy({ url }: TestDatabase): Promise<Writer> {
  const proxy = await TcpProxy.before(url);
  await proxy.open();
  const cause = async (index: number) => {
    const next = new URL(url);
    next.port = String(Number(next.port) + ((index + 1) % NODES));
    proxy.retarget(next.href);
    proxy.cutAll();
  };
  return { url: proxy.url, faults: [{ name: 'switches', count: SWITCHES, cause }], close: () => proxy.close() };
}

// First, because the server of the tests' own connections takes writes here.
test(
  `three hubs start at once on an empty schema, ${STARTS} times`,
  async () => {
    for (const _ of range(STARTS)) {
      const own = await createTestDatabase();
      const database = { ...own, url: cluster.urlOf(own.url) };
      const started = await Promise.all(range(3).map(() => HubProcess.start(database)));
      const ready = await Promise.all(started.map(({ url }) => fetch(`${url}/health/ready`)));
      expect(ready.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(started.map(({ complaints }) => complaints)).toEqual(['', '', '']);
      await Promise.all(started.map((hub) => hub.kill()));
      await own.drop();
    }
  },
  STARTS * FAULT_WITHIN_MS,
);

const isGalera = process.env.CHAOS_SERVER?.startsWith('galera');
const writers: [string, typeof named][] = [
  ['named in DATABASE_URL', named],
  ...(isGalera ? ([['behind a proxy', behindProxy]] as [string, typeof named][]) : []),
];

describe.each(writers)('a writer %s', (name, create) => {
  let own: TestDatabase;
  let writer: Writer;
  const hubs: TestHub[] = [];

  beforeAll(async () => {
    own = await createTestDatabase();
    writer = await create(own);
    for (const _ of range(HUBS)) hubs.push(await TestHub.start({}, { ...own, url: writer.url }));
  }, FAULT_WITHIN_MS);
  afterAll(async () => {
    for (const hub of hubs) await hub.leave();
    await writer.close();
  });

  test(
    'that is switched or killed under load strands no default Socket.IO client, and leaves no gap and no double',
    async () => {
      const [here] = hubs;
      if (!here) throw new Error('There are no hubs');
      const sellers = await Promise.all(range(SELLERS).map(() => here.seller([{ stock: 1_000_000 }])));
      const buyers = await Promise.all(range(BUYERS).map(() => here.person()));
      // Each person has a socket at each hub.
      const people = [...sellers, ...buyers].flatMap((person) => hubs.map((hub) => device(person, hub)));
      const clients = people.map((person) => ({ person, client: new DefaultClient(person) }));
      const load = new OrderLoad(clients, buyers, sellers);
      await load.start();
      for (const { count, cause } of writer.faults) {
        for (const index of range(count)) {
          await sleep(EVERY_MS);
          await cause(index);
        }
      }
      await sleep(EVERY_MS);
      const counts = await load.end(here);
      expect(await audit(here)).toEqual([]);
      const faults = Object.fromEntries(writer.faults.map((fault) => [fault.name, fault.count]));
      report(`a writer ${name}`, { ...faults, ...counts, faults: 0 });
    },
    (SWITCHES + KILLS + 2) * FAULT_WITHIN_MS,
  );
});
