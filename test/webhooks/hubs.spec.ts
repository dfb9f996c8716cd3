import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { WebhookFailingPush, WebhookView } from '../../src/contract/webhooks.js';
import { TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { isServer, onServer } from '../support/on.server.js';
import { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range, stopBoth, twoHubs } from '../support/ways.js';
import { WebhookReceiver } from '../support/webhook.receiver.js';

const VARIABLES = { WEBHOOKS_PRIVATE: 'true' };
const KILLS = 6;
const ORDERS_PER_LIFE = 12;
const TAKEN_OVER_WITHIN_MS = 12_000;

const viewOf = async (person: Person) =>
  (await person.get<Page<WebhookView>>('/webhooks')).body.items[0] as WebhookView;
const at = ({ url }: HubProcess, { userId, token }: Person) => new Person({ url } as TestHub, userId, token);

/** A seller and a buyer on a database that no hub uses. */
async function market(): Promise<{ database: TestDatabase; seller: Person; buyer: Person }> {
  const database = await createTestDatabase();
  const hub = await TestHub.start({}, database);
  const [seller, buyer] = [await hub.seller([{ stock: 10_000, price: 1 }]), await hub.buyer(10_000)];
  await hub.leave();
  return { database, seller, buyer };
}

function expectOnce(receiver: WebhookReceiver, head: number): void {
  expect(receiver.seqs).toEqual(range(head).map((index) => index + 1));
  expect(receiver.faults).toEqual([]);
}

/** Two hubs on one server database; on the embedded database, a single hub must pass the same tests. */
describe('webhooks of several hubs', () => {
  let here: TestHub;
  let there: TestHub;

  beforeAll(async () => {
    ({ here, there } = await twoHubs({ webhooksPrivate: true }));
  });
  afterAll(() => stopBoth(here, there));

  test('are sent each event once, in order, whichever hub committed it', async () => {
    const receiver = await WebhookReceiver.start();
    receiver.behaviour = async () => {
      await sleep(15);
      return 204;
    };
    const [seller, buyer] = [await here.seller([{ stock: 1_000 }]), await here.buyer()];
    const buyerThere = device(buyer, there);
    await receiver.of(seller);
    await Promise.all(
      [buyer, buyerThere].map(async (one) => {
        for (const _ of range(60)) {
          const { orderId } = await one.does('order:place', {
            storeId: seller.storeId,
            items: [{ bookId: 'book-1', count: 1 }],
          });
          await one.does('order:cancel', { orderId });
        }
      }),
    );
    await until(`all are delivered (${receiver.last})`, () => receiver.last === 240);
    expectOnce(receiver, 240);
    expect(receiver.overlap).toBe(1);
    await until('the position is stored', async () => (await viewOf(seller)).delivered === 240);
    await receiver.stop();
  });

  test('tell their owner at every hub, once, when they have failed for five minutes', async () => {
    const receiver = await WebhookReceiver.start();
    receiver.behaviour = 500;
    const [seller, buyer] = [await here.seller(), await here.buyer()];
    const { webhookId } = await receiver.of(seller);
    const pushes: WebhookFailingPush[][] = [];
    for (const person of [seller, device(seller, there), buyer]) {
      await person.connect();
      const heard: WebhookFailingPush[] = [];
      pushes.push(heard);
      person.socket?.on('webhook:failing', (push) => heard.push(push));
    }
    await buyer.place(seller);
    await until('it is failing', async () => (await viewOf(seller)).failingSince !== null);
    await sleep(6_000);
    expect(pushes).toEqual([[], [], []]);
    await here.database.transaction(async (tx) => {
      await tx.query('UPDATE webhooks SET failing_since = failing_since - 300000 WHERE webhook_id = ?', [webhookId]);
    });
    const push = { webhookId, since: (await viewOf(seller)).failingSince };
    await until('both sockets are told', () => pushes.slice(0, 2).every(({ length }) => length > 0));
    await sleep(6_000);
    expect(pushes).toEqual([[push], [push], []]);
    await receiver.stop();
  }, 60_000);
});

describe('webhooks of hubs that die', () => {
  test('lose nothing, double nothing and reorder nothing', async () => {
    const { database, seller, buyer } = await market();
    const receiver = await WebhookReceiver.start();
    receiver.behaviour = async () => {
      await sleep(20);
      return 204;
    };
    let hub = await HubProcess.start(database, VARIABLES);
    await receiver.of(at(hub, seller));
    let head = 0;
    for (const _ of range(KILLS)) {
      // On a server, another hub is there to take over.
      const other = isServer ? await HubProcess.start(database, VARIABLES) : undefined;
      const customer = await at(hub, buyer).connect();
      for (const _order of range(ORDERS_PER_LIFE)) {
        await customer.place(seller);
        head++;
      }
      await hub.kill();
      customer.disconnect();
      hub = other ?? (await HubProcess.start(database, VARIABLES));
    }
    await until(`all are delivered (${receiver.last} of ${head})`, () => receiver.last === head);
    expectOnce(receiver, head);
    // Each death repeats one request at most.
    const firsts = receiver.requests.map(({ id }) => id);
    expect(firsts.length - new Set(firsts).size).toBeLessThanOrEqual(KILLS);
    await until('the position is stored', async () => (await viewOf(at(hub, seller))).delivered === head);
    expect(await hub.terminate()).toBe(0);
    await receiver.stop();
    await database.drop();
  }, 180_000);

  onServer(
    'are taken over within seconds from a hub that is killed or frozen in mid-request, and are not moved by it later',
    async () => {
      const { database, seller, buyer } = await market();
      const receiver = await WebhookReceiver.start();
      for (const end of ['freeze', 'kill'] as const) {
        receiver.requests.length = 0;
        const holder = await HubProcess.start(database, VARIABLES);
        const { webhookId } = await receiver.of(at(holder, seller));
        let answer = () => {};
        const held = new Promise<void>((resolve) => {
          answer = resolve;
        });
        receiver.behaviour = async () => {
          await held;
          return 204;
        };
        const customer = at(holder, buyer);
        await customer.place(seller);
        await until('its request is under way', () => receiver.requests.length === 1);
        const other = await HubProcess.start(database, VARIABLES);
        customer.disconnect();
        const from = Date.now();
        await holder[end]();
        receiver.behaviour = 204;
        await until('another hub repeats it', () => receiver.requests.length === 2, TAKEN_OVER_WITHIN_MS);
        expect(Date.now() - from).toBeLessThan(TAKEN_OVER_WITHIN_MS);
        expect(receiver.requests[1]?.id).toBe(receiver.requests[0]?.id);
        await until('it is stored', async () => (await viewOf(at(other, seller))).failingSince === null);
        await at(other, seller).post(`/webhooks/${webhookId}/rewind`, { after: 0 });
        answer();
        if (end === 'freeze') holder.thaw();
        await until('all is delivered', async () => {
          const { delivered, head } = await viewOf(at(other, seller));
          return delivered === head;
        });
        await at(other, seller).request('DELETE', `/webhooks/${webhookId}`, undefined, {});
        if (end === 'freeze') await holder.terminate();
        await other.terminate();
      }
      expect(receiver.faults).toEqual([]);
      await receiver.stop();
      await database.drop();
    },
    180_000,
  );

  test('are not repeated where the hub stops as it should', async () => {
    const { database, seller, buyer } = await market();
    const receiver = await WebhookReceiver.start();
    const hub = await HubProcess.start(database, VARIABLES);
    await receiver.of(at(hub, seller));
    receiver.behaviour = async () => {
      await sleep(1_500);
      return 204;
    };
    const customer = at(hub, buyer);
    await customer.place(seller);
    await until('a request is under way', () => receiver.requests.length === 1);
    customer.disconnect();
    expect(await hub.terminate()).toBe(0);
    expect(receiver.last).toBe(1);
    receiver.behaviour = 204;
    const next = await HubProcess.start(database, VARIABLES);
    const again = at(next, buyer);
    await again.place(seller);
    await until('the next is delivered', () => receiver.last === 2);
    expect(receiver.requests.map(({ body }) => body.events.map(({ seq }) => seq))).toEqual([[1], [2]]);
    again.disconnect();
    await next.terminate();
    await receiver.stop();
    await database.drop();
  }, 60_000);
});
