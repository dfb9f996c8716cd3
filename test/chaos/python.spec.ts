import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { ENDS_WITHIN_MS, randomOf, report, sized } from '../support/chaos.js';
import { DatabaseReader } from '../support/database.reader.js';
import { HubCluster } from '../support/hub.cluster.js';
import { TestHub } from '../support/hub.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const BUYERS = 6;
/** Placed, paid and shipped: three commands each, 10,008 in the long form. */
const ORDERS = sized(120, 3_336);
const KILLS = 2;
/** The share of answers that are cut, with their lines. */
const CUT_SHARE = 0.02;

/** What python.market.py prints at its end. */
interface Outcome {
  placed: string[];
  heard: Record<string, [role: string, seq: number, orderId: string, status: string][]>;
}

let database: TestDatabase;
let cluster: HubCluster;
let reader: DatabaseReader;

beforeAll(async () => {
  database = await createTestDatabase();
  reader = new DatabaseReader(database);
}, 120_000);
afterAll(async () => {
  await cluster?.stop();
  await reader.close();
  await database.drop();
});

/** Runs the market to its end, and calls back with each count of shipped orders. */
async function runMarket(market: object, shipped: (count: number) => void): Promise<Outcome> {
  const child = spawn('/usr/bin/python3', ['-W', 'ignore', 'test/support/python.market.py'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  child.stdin.end(JSON.stringify(market));
  let outcome: Outcome | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) outcome = JSON.parse(line);
    else shipped(Number(line.split(' ')[1]));
  }
  await ended;
  if (!outcome) throw new Error(`The Python market ended with ${child.exitCode}`);
  return outcome;
}

test(
  'the Python client loses and doubles nothing while lines are cut and its hub is killed twice',
  async () => {
    const hub = await TestHub.start({}, database);
    const seller = await hub.seller([{ stock: ORDERS, price: 100 }]);
    const buyers = await Promise.all(range(BUYERS).map(() => hub.buyer()));
    await hub.leave();
    cluster = await HubCluster.start(database, 1, { ackCuts: CUT_SHARE, random: randomOf('python') });
    const kills: Promise<void>[] = [];
    const market = {
      ...{ url: cluster.urls[0], store: seller.storeId, orders: ORDERS, seller: seller.token },
      buyers: Object.fromEntries(buyers.map(({ userId, token }) => [userId, token])),
    };
    const { placed, heard } = await runMarket(market, (count) => {
      if (kills.length < KILLS && count >= ((kills.length + 1) * ORDERS) / (KILLS + 1)) kills.push(cluster.kill(0));
    });
    await Promise.all(kills);
    const { cutAcks, complaints } = cluster;
    report('the Python client', { commands: 3 * placed.length, 'answers cut': cutAcks, 'hubs killed': cluster.kills });

    expect(await audit(reader, { whole: true })).toEqual([]);
    const stored = await reader.rows<{ buyer_id: string; status: string }>('SELECT buyer_id, status FROM orders');
    expect(stored.filter(({ status }) => status === 'shipped')).toHaveLength(ORDERS);
    expect(stored).toHaveLength(ORDERS);
    expect(new Set(placed).size).toBe(ORDERS);
    expect(placed).toHaveLength(ORDERS);
    for (const [name, events] of Object.entries(heard)) {
      const count = 3 * (name === 'seller' ? ORDERS : ORDERS / BUYERS);
      expect([name, events.map(([, seq]) => seq)]).toEqual([name, range(count).map((index) => index + 1)]);
      expect(new Set(events.map(([, , orderId, status]) => `${orderId} ${status}`)).size).toBe(count);
    }
    expect(cluster.kills).toBe(KILLS);
    expect(cutAcks).toBeGreaterThan(0);
    expect(complaints).toBe('');
  },
  ENDS_WITHIN_MS,
);
