import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { CreatedWebhook } from '../../src/contract/webhooks.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { WebhookFlights } from '../../src/webhooks/webhook.flights.js';
import { WebhookSender } from '../../src/webhooks/webhook.sender.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';
import { deliveryFaults } from '../support/webhook.audit.js';
import { WebhookReceiver } from '../support/webhook.receiver.js';

const ORDERS = 5;
type Method = (...values: unknown[]) => unknown;

describe('the audit of webhooks', () => {
  let hub: TestHub;
  const restores: (() => void)[] = [];

  beforeAll(async () => {
    hub = await TestHub.start({ webhooksPrivate: true });
  });
  afterAll(() => hub.stop());
  afterEach(() => {
    for (const restore of restores.splice(0)) restore();
  });

  /** Replaces a method of the hub until the test ends. */
  const patch = (target: { prototype: object }, name: string, wrap: (original: Method) => Method) => {
    const prototype = target.prototype as Record<string, Method>;
    const original = prototype[name] as Method;
    prototype[name] = wrap(original);
    restores.push(() => {
      prototype[name] = original;
    });
  };
  /** Alters the events that are read for requests. */
  const patchEvents = (modify: (events: OrderStatusPush[]) => OrderStatusPush[]) => {
    const wrap =
      (modifyFound: (found: unknown) => unknown) =>
      (original: Method): Method =>
        async function (this: unknown, ...parameters) {
          return modifyFound(await original.apply(this, parameters));
        };
    patch(
      RoomsService,
      'eventsAfterEach',
      wrap((found) => (found as OrderStatusPush[][]).map(modify)),
    );
    patch(
      RoomsService,
      'eventsAfter',
      wrap((found) => modify(found as OrderStatusPush[])),
    );
  };

  interface Day {
    receiver: WebhookReceiver;
    webhook: CreatedWebhook;
    seller: Person;
  }

  const faultsOf = async ({ receiver, webhook, seller }: Day) => {
    const faults = [...(await deliveryFaults(hub, receiver, webhook, seller.userId)), ...(await audit(hub))];
    await seller.request('DELETE', `/webhooks/${webhook.webhookId}`, undefined, {});
    await receiver.stop();
    return faults;
  };

  /** Some orders, until the webhook's position is at the head. */
  const run = async (before: (receiver: WebhookReceiver) => void = () => {}): Promise<Day> => {
    const receiver = await WebhookReceiver.start();
    const [seller, buyer] = [await hub.seller([{ stock: 100 }]), await hub.buyer()];
    const webhook = await receiver.of(seller);
    before(receiver);
    for (const _ of range(ORDERS)) await buyer.place(seller);
    await until('the position is at the head', async () => {
      const sql = 'SELECT delivered FROM webhooks WHERE webhook_id = ?';
      const [row] = await hub.rows<{ delivered: number }>(sql, [webhook.webhookId]);
      return Number(row?.delivered) >= ORDERS;
    });
    return { receiver, webhook, seller };
  };

  test('finds nothing where nothing is wrong', async () => {
    expect(await faultsOf(await run())).toEqual([]);
  });

  test.each<[string, string, (receiver: WebhookReceiver) => void]>([
    [
      'a request is counted as accepted, and was not sent',
      'lost event: webhook',
      () => patch(WebhookSender, 'send', () => () => Promise.resolve(200)),
    ],
    [
      'a refusal is counted as accepted',
      'moved too far: webhook',
      (receiver) => {
        receiver.behaviour = 500;
        patch(
          WebhookSender,
          'send',
          (original) =>
            async function (this: unknown, ...parameters) {
              await original.apply(this, parameters);
              return 200;
            },
        );
      },
    ],
    [
      'an event is left out',
      'gap: webhook request',
      () => patchEvents((events) => events.filter(({ seq }) => seq !== 1)),
    ],
    [
      'an event differs from the stored one',
      'event differs: webhook request',
      () => patchEvents((events) => events.map((event) => ({ ...event, total: event.total + 1 }))),
    ],
    [
      'a request is signed with another secret',
      'bad signature: webhook request',
      () =>
        patch(
          WebhookSender,
          'send',
          (original) =>
            function (this: unknown, webhook, message) {
              const secret = `whsec_${Buffer.alloc(32, 'other').toString('base64')}`;
              return original.call(this, { ...(webhook as object), secret }, message);
            },
        ),
    ],
    [
      'an outcome moves the position too far',
      'a webhook is beyond its room',
      () =>
        patch(
          WebhookFlights,
          'launch',
          (original) =>
            function (this: unknown, letter, ...rest) {
              const { lastSeq } = letter as { lastSeq: number };
              return original.call(this, { ...(letter as object), lastSeq: lastSeq + 100 }, ...rest);
            },
        ),
    ],
  ])('finds that %s', async (_, expected, plant) => {
    const faults = await faultsOf(await run(plant));
    expect(faults.filter((fault) => fault.startsWith(expected))).not.toEqual([]);
  });
});
