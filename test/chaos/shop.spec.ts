import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { ENDS_WITHIN_MS, KILLS_MIN, randomOf, report, seconds } from '../support/chaos.js';
import { DatabaseReader } from '../support/database.reader.js';
import { HubCluster } from '../support/hub.cluster.js';
import { TestHub, until } from '../support/hub.js';
import { isServer } from '../support/on.server.js';
import type { Person } from '../support/person.js';
import { ShopClient } from '../support/shop.client.js';
import { ShopRun } from '../support/shop.run.js';
import { StripeServer } from '../support/stripe.server.js';
import { createTestDatabase, executeOn, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';
import { WebhookReceiver } from '../support/webhook.receiver.js';

const HUBS = isServer ? 2 : 1;
const BUYERS = 12;
const SELLERS = 3;
const KILL_EVERY_MS = { min: 500, max: 2_000 };
const MOOD_MS = 1_500;
const MOODS = ['well', 'well', 'well', 'slow', 'down', 'refusing'] as const;
const SETTLED_WITHIN_MS = 120_000;
const PENDING = "SELECT topup_id FROM topups WHERE status = 'pending' AND reference IS NOT NULL";
/** What is to be tried again later is due now, as if that time had passed. */
const ALL_DUE = ['topups', 'payouts'].map((table) => `UPDATE ${table} SET due_at = 1 WHERE due_at IS NOT NULL`);
const BEHIND = `SELECT w.webhook_id FROM webhooks w JOIN rooms r ON r.role = w.role AND r.user_id = w.user_id
  WHERE w.delivered < r.head`;

describe('a shop on hubs that are killed repeatedly', () => {
  const random = randomOf('shop');
  let database: TestDatabase;
  let stripe: StripeServer;
  let cluster: HubCluster;
  let reader: DatabaseReader;
  const receivers: WebhookReceiver[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    stripe = await StripeServer.start();
    reader = new DatabaseReader(database);
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
    await stripe.stop();
    for (const receiver of receivers) await receiver.stop();
    await reader.close();
    await database.drop();
  });

  /** A seller with a webhook whose receiver fails now and then. */
  async function sellerWithWebhook(hub: TestHub): Promise<Person> {
    const seller = await hub.seller([{ stock: 1_000_000, price: 700 }]);
    const receiver = await WebhookReceiver.start();
    receiver.behaviour = () => (random() < 0.9 ? 204 : random() < 0.5 ? 500 : 'die');
    await receiver.of(seller);
    receivers.push(receiver);
    return seller;
  }

  const isEmpty = async (sql: string) => (await reader.rows(sql)).length === 0;

  test(
    'loses, doubles and reorders no top-up, payout and webhook',
    async () => {
      const hub = await TestHub.start({ webhooksPrivate: true }, database);
      const sellers = await Promise.all(range(SELLERS).map(() => sellerWithWebhook(hub)));
      const buyers = await Promise.all(range(BUYERS).map(() => hub.buyer(0)));
      await hub.leave();
      const variables = { ...stripe.variables, SETTLE_AT: 'received', WEBHOOKS_PRIVATE: 'true', RATE_LIMITS: 'off' };
      cluster = await HubCluster.start(database, HUBS, { variables });
      const client = new ShopClient(() => cluster.urls, random);
      const run = new ShopRun(client, stripe, random);
      run.start(buyers, sellers);
      const moods = setInterval(() => {
        stripe.mood = MOODS[Math.floor(random() * MOODS.length)] ?? 'well';
      }, MOOD_MS);

      const end = Date.now() + seconds * 1_000;
      for (let kill = 0; Date.now() < end || cluster.kills < KILLS_MIN; kill++) {
        await sleep(KILL_EVERY_MS.min + random() * (KILL_EVERY_MS.max - KILL_EVERY_MS.min));
        await cluster.kill(kill % HUBS);
      }
      clearInterval(moods);
      stripe.mood = 'well';
      await run.stop();
      const { kills, complaints } = cluster;
      await cluster.stop();
      for (const receiver of receivers) receiver.behaviour = 204;
      // Nobody pays at the pages that are still open.
      for (const session of stripe.sessions.values()) if (session.status === 'open') session.status = 'expired';
      await executeOn(database, ...ALL_DUE, 'UPDATE webhooks SET next_at = 0');
      cluster = await HubCluster.start(database, HUBS, { variables });
      await until('top-ups are settled', () => isEmpty(PENDING), SETTLED_WITHIN_MS);
      const payouts = "SELECT payout_id FROM payouts WHERE status = 'pending'";
      await until('payouts are settled', () => isEmpty(payouts), SETTLED_WITHIN_MS);
      await until('webhooks are delivered', () => isEmpty(BEHIND), SETTLED_WITHIN_MS);

      const faults = [
        ...run.faults,
        ...(await audit(reader, { paid: stripe.books, whole: true })),
        ...receivers.flatMap(({ faults: own, seqs }) => [...own, ...gapsIn(seqs)]),
      ];
      const requests = receivers.reduce((sum, receiver) => sum + receiver.requests.length, 0);
      report('a shop', {
        'hubs killed': kills,
        ...run.counts,
        'webhook requests': requests,
        faults: faults.length,
      });
      expect(faults).toEqual([]);
      expect(complaints + cluster.complaints).toBe('');
      expect(run.counts.topups).toBeGreaterThan(0);
    },
    ENDS_WITHIN_MS + SETTLED_WITHIN_MS,
  );
});

/** What a receiver has missed or had twice, by its one integer. */
function gapsIn(seqs: readonly number[]): string[] {
  return seqs.flatMap((seq, index) => (seq === index + 1 ? [] : [`event ${seq} came as number ${index + 1}`]));
}
