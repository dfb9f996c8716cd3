import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CommandQueue } from '../../src/commands/command.queue.js';
import { UnitOfWork } from '../../src/commands/unit.of.work.js';
import type { Config } from '../../src/config.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { OrderStatus } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import { Database } from '../../src/platform/database/database.js';
import { EventPublisher } from '../../src/rooms/event.publisher.js';
import { EventSubscription } from '../../src/rooms/event.subscription.js';
import { audit } from '../support/audit.js';
import { Auditor } from '../support/auditor.js';
import { DatabaseReader } from '../support/database.reader.js';
import { type ClientCommand, type ClientRequest, History } from '../support/history.js';
import { TestHub, until } from '../support/hub.js';
import { signedEvent, withTestProvider } from '../support/payments.js';
import { ReconnectingClient } from '../support/reconnecting.client.js';
import { type StaffMember, StaffRota } from '../support/staff.rota.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { dataOf, range } from '../support/ways.js';

const SETTLED_WITHIN_MS = 3_000;
const NOT_SETTLED_WITHIN_MS = 200;
const NO_WALLETS = { at: 0, wallets: [] };

/** A market small enough to set up for every fault: a seller, two buyers and an auditor. */
interface Market {
  hub: TestHub;
  history: History;
  auditor: Auditor;
  storeId: string;
  sellerToken: string;
  seller: ReconnectingClient;
  buyer: ReconnectingClient;
  otherBuyer: ReconnectingClient;
  /** Sends a command that must succeed, then sends it again with the same key. */
  does(client: ReconnectingClient, message: ClientCommand, request: ClientRequest<ClientCommand>): Promise<Order>;
  place(client: ReconnectingClient, count: number): Promise<Order>;
  /** Changes rows behind the hub's back. */
  update(sql: string, parameters?: unknown[]): Promise<void>;
  /** Waits until the auditor has seen the current state. */
  audited(): Promise<void>;
}

async function openMarket(database: TestDatabase, settings: Partial<Config> = {}): Promise<Market> {
  const hub = await TestHub.start({ ...withTestProvider, ...settings }, database);
  const seller = await hub.seller([
    { stock: 100, price: 10 },
    { stock: 100, price: 7 },
  ]);
  const [buyer, otherBuyer] = [await hub.buyer(10_000), await hub.buyer(10_000)];
  const history = await History.begin(hub);
  const auditor = await Auditor.start(database, { history });
  const connectClient = (user: { userId: string; token: string }) => clientOf(user, hub, history);
  const market: Market = {
    hub,
    history,
    auditor,
    storeId: seller.storeId,
    sellerToken: seller.token,
    seller: connectClient(seller).start(),
    buyer: connectClient(buyer).start(),
    otherBuyer: connectClient(otherBuyer).start(),
    does: async (client, message, request) => {
      const keyed = { ...request, key: request.key ?? `key-${history.sent.length}` };
      const first = await client.do(message, keyed);
      await client.do(message, keyed);
      return dataOf(first as Answer<Order>);
    },
    place: (client, count) =>
      market.does(client, 'order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count }] }),
    update: (sql, parameters = []) => hub.database.transaction(async (tx) => void (await tx.query(sql, parameters))),
    audited: async () => {
      // The audit in progress may have begun too early.
      const enough = auditor.audits + 2;
      await until('the auditor has run twice', () => auditor.audits >= enough);
    },
  };
  return market;
}

function clientOf(
  { userId, token }: { userId: string; token: string },
  hub: TestHub,
  history: History,
  actingFor?: string,
): ReconnectingClient {
  const clientId = `client-of-${userId}`;
  return new ReconnectingClient({
    ...{ userId, token, clientId, actingFor, history },
    urls: () => [hub.url],
    random: Math.random,
  });
}

/** Takes orders through every outcome, with deposits and withdrawals. */
async function runDay({ seller, does, place, storeId }: Market, ...buyers: ReconnectingClient[]): Promise<void> {
  for (const buyer of buyers) {
    await does(buyer, 'wallet:deposit', { amount: 500 });
    await does(buyer, 'wallet:withdraw', { amount: 20 });
    const { orderId } = await place(buyer, 2);
    await does(buyer, 'order:pay', { orderId });
    await does(seller, 'order:ship', { orderId, carrier: 'Owl' });
    await does(buyer, 'order:receive', { orderId });
    const unpaid = await place(buyer, 3);
    await does(buyer, 'order:note', { orderId: unpaid.orderId, text: 'no hurry' });
    await does(buyer, 'order:readdress', {
      orderId: unpaid.orderId,
      deliverTo: { name: 'Ann', lines: ['1 Elm Street'] },
    });
    await does(buyer, 'order:cancel', { orderId: unpaid.orderId, reason: 'changed my mind' });
    await does(seller, 'order:note', { orderId: unpaid.orderId, text: 'a pity' });
    const paid = await place(buyer, 4);
    await does(buyer, 'order:pay', { orderId: paid.orderId });
    await does(seller, 'order:cancel', { orderId: paid.orderId });
    await place(buyer, 5);
    await runParts(does, buyer, seller, storeId);
    const refused = await buyer.do('order:pay', { orderId: paid.orderId });
    expect(refused).toMatchObject({ ok: false, error: { code: 'ORDER_STATE' } });
  }
}

/** Takes an order of six copies through every change of lines: two parcels, a part cancel, refunds, another tracking number. */
async function runParts(
  does: Market['does'],
  buyer: ReconnectingClient,
  seller: ReconnectingClient,
  storeId: string,
): Promise<void> {
  const items = [
    { bookId: 'book-1', count: 4 },
    { bookId: 'book-2', count: 2 },
  ];
  const { orderId } = await does(buyer, 'order:place', { storeId, items });
  await does(buyer, 'order:pay', { orderId });
  await does(seller, 'order:ship', { orderId, items: [{ bookId: 'book-1', count: 2 }], carrier: 'Owl' });
  await does(seller, 'order:refund', { orderId, amount: 3, reason: 'late' });
  await does(buyer, 'order:cancel', { orderId, items: [{ bookId: 'book-1', count: 1 }] });
  await does(seller, 'order:refund', { orderId, items: [{ bookId: 'book-1', count: 1 }], restock: true });
  await does(buyer, 'order:receive', { orderId, parcel: 1 });
  await does(seller, 'order:ship', { orderId, carrier: 'Owl', trackingNo: '1' });
  await does(seller, 'order:track', { orderId, parcel: 2, trackingNo: '2' });
  await does(buyer, 'order:receive', { orderId });
  await does(seller, 'order:refund', { orderId, items: [{ bookId: 'book-2', count: 1 }] });
}

/** Closes the market and returns the auditor's faults. */
async function close({ auditor, seller, buyer, otherBuyer }: Market, settledWithinMs: number): Promise<string[]> {
  await auditor.settled(settledWithinMs);
  await Promise.all([seller, buyer, otherBuyer].map((client) => client.stop()));
  return auditor.finish();
}

type Method = (...values: unknown[]) => unknown;
const restores: (() => void)[] = [];

/** Replaces a method of the hub until the test ends. */
function patchMethod(target: { prototype: object }, name: string, wrap: (original: Method) => Method): void {
  const prototype = target.prototype as Record<string, Method>;
  const original = prototype[name];
  if (!original) throw new Error(`There is no method ${name} to replace`);
  prototype[name] = wrap(original);
  restores.push(() => {
    prototype[name] = original;
  });
}

/** Limits a predicate to its first match. */
function firstMatch<T>(predicate: (value: T) => boolean): (value: T) => boolean {
  let done = false;
  return (value) => {
    if (done || !predicate(value)) return false;
    done = true;
    return true;
  };
}

interface Outcome {
  answers: Answer<Order>[];
  events: { userId: string; push: OrderStatusPush }[];
}
type Change = Parameters<UnitOfWork['apply']>[0];
interface Subscription {
  socket: { emit(name: string, push: OrderStatusPush): void };
}

/** Matches a batch outcome that moves an order to this status. */
function movesOrderTo(status: OrderStatus) {
  return (outcome: unknown): outcome is Outcome =>
    ((outcome as Partial<Outcome> | undefined)?.events ?? []).some(({ push }) => push.status === status);
}

/** Runs code between a batch's work and its COMMIT. */
function beforeCommit(matches: (outcome: unknown) => boolean, act: (outcome: Outcome) => Promise<void>): void {
  const isTarget = firstMatch(matches);
  patchMethod(
    Database,
    'transaction',
    (original) =>
      function (this: unknown, work, options) {
        const wrapped = async (tx: unknown) => {
          const outcome = await (work as Method)(tx);
          if (isTarget(outcome)) await act(outcome as Outcome);
          return outcome;
        };
        return original.call(this, wrapped, options);
      },
  );
}

/** Replaces the delivery of one event to a socket. */
function patchSend(
  matches: (push: OrderStatusPush) => boolean,
  send: (subscription: Subscription, push: OrderStatusPush) => void,
): void {
  const isTarget = firstMatch(matches);
  patchMethod(
    EventSubscription,
    'send',
    (original) =>
      function (this: unknown, cursor, push, from) {
        const event = push as OrderStatusPush;
        if (!isTarget(event)) return original.call(this, cursor, push, from);
        (cursor as { delivered: number }).delivered = event.seq;
        return send(this as Subscription, event);
      },
  );
}

/** Alters the change that the rules have decided. */
function patchApply(status: OrderStatus, modify: (decided: Required<Pick<Change, 'order'>> & Change) => Change): void {
  patchMethod(
    UnitOfWork,
    'apply',
    (original) =>
      function (this: unknown, decided, now) {
        const { order } = decided as Change;
        if (order?.after.status !== status) return original.call(this, decided, now);
        return original.call(this, modify({ ...(decided as Change), order }), now);
      },
  );
}

/** Alters the changes that a command makes, as the rules have decided them. */
function patchCommand(command: string, modify: (decided: Change) => Change): void {
  patchMethod(
    UnitOfWork,
    'apply',
    (original) =>
      function (this: unknown, decided, now) {
        const isMeant = (decided as Change).order?.after.timeline.at(-1)?.command === command;
        return original.call(this, isMeant ? modify(decided as Change) : decided, now);
      },
  );
}

/** Alters what the timelines of the buyer's orders say. */
function rewrite(from: string, to: string) {
  return ({ update, buyer }: Market) =>
    update('UPDATE orders SET timeline = REPLACE(timeline, ?, ?) WHERE buyer_id = ?', [from, to, buyer.userId]);
}

/** Alters an answer of the batch. */
function patchAnswer(matches: (answer: Answer<Order>) => boolean, modify: (answer: Answer<Order>) => unknown): void {
  patchMethod(
    CommandQueue,
    'answer',
    (original) =>
      function (this: unknown, waiting, answer) {
        const result = answer as Answer<Order>;
        return original.call(this, waiting, matches(result) ? modify(result) : result);
      },
  );
}

function isAnswerOf(status: OrderStatus, replayed?: true) {
  return (answer: Answer<Order>): boolean => answer.ok && answer.data.status === status && answer.replayed === replayed;
}

/** Debits the buyer without crediting the seller. */
async function payWithoutSale({ place, does, buyer }: Market): Promise<void> {
  patchApply('paid', ({ money = [], ...rest }) => ({ ...rest, money: money.filter(({ kind }) => kind !== 'sale') }));
  const { orderId } = await place(buyer, 1);
  await does(buyer, 'order:pay', { orderId });
}

/** Tops up 77, and has the provider say that it was paid. */
async function topUp(market: Market): Promise<string> {
  const { buyer, hub, history } = market;
  const answer = await hub.hub.app.get(CommandQueue).submit('topup:create', buyer.userId, { amount: 77 });
  if (!answer.ok) throw new Error(`The top-up was refused in ${history.sent.length}`);
  await tellPaid(market, answer.data.topupId);
  return answer.data.topupId;
}

async function tellPaid({ hub }: Market, topupId: string): Promise<void> {
  const { body, headers } = await signedEvent(hub, topupId);
  const { status } = await fetch(`${hub.url}/payments/events`, { method: 'POST', body, headers });
  expect(status).toBe(200);
}

const isThird = ({ role, seq }: OrderStatusPush) => role === 'buyer' && seq === 3;
const refusal = {
  ok: false,
  error: { code: 'FORBIDDEN', message: 'You are not allowed to do this.', retryable: false },
};

interface Fault {
  name: string;
  /** The beginning of the expected fault. */
  expected: string;
  /** Injects the fault before the day. */
  before?: (market: Market) => void;
  /** Causes the fault after the day. */
  after?: (market: Market) => Promise<unknown>;
}

const faults: Fault[] = [
  {
    name: 'an event is sent before its commit',
    expected: 'sent before commit: buyer room',
    before: ({ hub, audited }) =>
      beforeCommit(movesOrderTo('paid'), async ({ events }) => {
        hub.hub.app
          .get(EventPublisher)
          .publish({ events, stockAlerts: [], storeStatuses: [], claims: [], walletChanges: NO_WALLETS });
        await audited();
      }),
  },
  {
    name: 'an answer is sent before its commit',
    expected: 'sent before commit: buyer room',
    before: ({ buyer, history, audited }) =>
      beforeCommit(movesOrderTo('received'), async ({ answers: [answer] }) => {
        const sent = history.sent.findLast(({ userId }) => userId === buyer.userId);
        if (sent && answer) history.recordAnswer(sent, answer, 0);
        await audited();
      }),
  },
  {
    name: 'an event of a rolled-back transaction is sent',
    expected: 'event differs: ',
    before: ({ hub }) =>
      beforeCommit(movesOrderTo('placed'), async ({ events }) => {
        hub.hub.app
          .get(EventPublisher)
          .publish({ events, stockAlerts: [], storeStatuses: [], claims: [], walletChanges: NO_WALLETS });
        throw new Error('injected');
      }),
  },
  { name: 'an event is lost', expected: 'gap: ', before: () => patchSend(isThird, () => {}) },
  {
    name: 'the very last event is lost',
    expected: 'lost event: ',
    after: async ({ place, otherBuyer }) => {
      patchSend(
        ({ role, version }) => role === 'seller' && version === 1,
        () => {},
      );
      await place(otherBuyer, 1);
    },
  },
  {
    name: 'an event is sent twice',
    expected: 'duplicate event: ',
    before: () =>
      patchSend(isThird, ({ socket }, push) => {
        for (const _ of range(2)) socket.emit('order:status', push);
      }),
  },
  {
    name: 'two events are swapped',
    expected: 'out of order: ',
    before: () => {
      let held: OrderStatusPush | undefined;
      patchSend(isThird, (_, push) => {
        held = push;
      });
      patchSend(
        ({ role, seq }) => role === 'buyer' && seq === 4,
        ({ socket }, push) => {
          socket.emit('order:status', push);
          if (held) socket.emit('order:status', held);
        },
      );
    },
  },
  {
    name: 'an event is sent with a total that differs from the stored one',
    expected: 'event differs: ',
    before: () =>
      patchSend(isThird, ({ socket }, push) => socket.emit('order:status', { ...push, total: push.total + 1 })),
  },
  {
    name: 'an event is sent to another user',
    expected: 'wrong user: ',
    before: ({ otherBuyer }) => {
      const subscriptions = new Map<string, Subscription>();
      patchMethod(
        EventSubscription,
        'start',
        (original) =>
          function (this: unknown) {
            const subscription = this as Subscription & { account: string };
            subscriptions.set(subscription.account, subscription);
            return original.call(this);
          },
      );
      patchSend(isThird, ({ socket }, push) => {
        socket.emit('order:status', push);
        subscriptions.get(otherBuyer.userId)?.socket.emit('order:status', push);
      });
    },
  },
  {
    name: 'an event is not stored',
    expected: 'a room has a gap: ',
    after: ({ update, buyer }) =>
      update("DELETE FROM room_events WHERE role = 'buyer' AND seq = 2 AND user_id = ?", [buyer.userId]),
  },
  {
    name: 'the oldest event of a room is missing',
    expected: 'a room has lost its oldest events: ',
    after: ({ update, buyer }) =>
      update("DELETE FROM room_events WHERE role = 'buyer' AND seq = 1 AND user_id = ?", [buyer.userId]),
  },
  {
    name: 'an acknowledged command is rolled back',
    expected: 'lost: order:place of buyer',
    after: async ({ place, buyer }) => {
      class RolledBack extends Error {}
      patchMethod(
        Database,
        'transaction',
        (original) =>
          async function (this: unknown, work, options) {
            let outcome: unknown;
            const wrapped = async (tx: unknown) => {
              outcome = await (work as Method)(tx);
              if (movesOrderTo('placed')(outcome)) throw new RolledBack();
              return outcome;
            };
            try {
              return await original.call(this, wrapped, options);
            } catch (error) {
              if (error instanceof RolledBack) return outcome;
              throw error;
            }
          },
      );
      await place(buyer, 1);
    },
  },
  {
    name: 'an acknowledged deposit is not in the ledger',
    expected: 'lost: wallet:deposit of buyer',
    after: async ({ does, buyer, update }) => {
      await does(buyer, 'wallet:deposit', { amount: 77 });
      const mine = ' WHERE user_id = ?';
      await update(`DELETE FROM wallet_entries${mine} AND kind = 'deposit' AND amount = 77`, [buyer.userId]);
      await update(`UPDATE wallets SET balance = balance - 77, entries = entries - 1${mine}`, [buyer.userId]);
    },
  },
  {
    name: 'a refused command takes effect',
    expected: 'refused but done: ',
    after: async ({ place, does, buyer, seller }) => {
      patchAnswer(isAnswerOf('shipped'), () => refusal);
      const { orderId } = await place(buyer, 1);
      await does(buyer, 'order:pay', { orderId });
      await seller.do('order:ship', { orderId });
    },
  },
  {
    name: 'a refused deposit takes effect',
    expected: 'refused but done: a deposit of 77',
    after: async ({ buyer }) => {
      patchAnswer(
        ({ ok }) => ok,
        () => refusal,
      );
      await buyer.do('wallet:deposit', { amount: 77 }).catch(() => {});
    },
  },
  {
    name: 'an order is placed twice with one key',
    expected: 'duplicate: order ',
    after: async ({ place, update, buyer, storeId, history }) => {
      await place(buyer, 6);
      await update('DELETE FROM command_answers WHERE user_id = ?', [buyer.userId]);
      const key = history.sent.at(-1)?.request.key ?? '';
      await buyer.do('order:place', { storeId, items: [{ bookId: 'book-1', count: 6 }], key });
    },
  },
  {
    name: 'a deposit is made twice with one key',
    expected: 'duplicate: a deposit of 77',
    after: async ({ update, buyer }) => {
      await buyer.do('wallet:deposit', { amount: 77, key: 'twice' });
      await update("DELETE FROM command_answers WHERE idem_key = 'twice' AND user_id = ?", [buyer.userId]);
      await buyer.do('wallet:deposit', { amount: 77, key: 'twice' });
    },
  },
  {
    name: 'an order change names another user',
    expected: 'wrong user: order:ship',
    before: () =>
      patchApply('shipped', ({ order, ...rest }) => {
        const timeline = order.after.timeline.map((step) => ({
          ...step,
          by: step.version === 3 ? 'another' : step.by,
        }));
        return { ...rest, order: { ...order, after: { ...order.after, timeline } } };
      }),
  },
  {
    name: 'an order changes without a command',
    expected: 'done without a command: ',
    after: async ({ hub, place, buyer, seller }) => {
      const { orderId } = await place(buyer, 1);
      await hub.hub.app.get(CommandQueue).submit('order:cancel', seller.userId, { orderId });
    },
  },
  {
    name: 'a cancelled order does not restock its copies',
    expected: 'a stock is not accounted for: ',
    before: () => patchApply('cancelled', ({ stock: _, ...rest }) => rest),
  },
  {
    name: 'an order does not reduce the stock',
    expected: 'a stock is not accounted for: ',
    before: () => patchApply('placed', ({ stock: _, ...rest }) => rest),
  },
  {
    name: 'a key is not stored',
    expected: 'key not stored: ',
    after: async ({ buyer, storeId }) => {
      patchMethod(UnitOfWork, 'recordAnswer', () => () => {});
      await buyer.do('order:place', { storeId, items: [{ bookId: 'book-2', count: 1 }] });
    },
  },
  {
    name: 'a replayed answer differs',
    expected: 'inconsistent answer: order:pay',
    before: () =>
      patchAnswer(isAnswerOf('paid', true), (answer) =>
        answer.ok ? { ...answer, data: { ...answer.data, total: 1 } } : answer,
      ),
  },
  {
    name: 'a payment is not credited to the seller',
    expected: "an order's payments do not match its status: ",
    after: payWithoutSale,
  },
  {
    name: 'money disappears',
    expected: 'the balances differ from the deposits and withdrawals: ',
    after: payWithoutSale,
  },
  {
    name: 'a cancelled order is not refunded',
    expected: "an order's payments do not match its status: ",
    before: () => patchApply('cancelled', ({ money: _, ...rest }) => rest),
  },
  {
    name: 'a balance changes without an entry',
    expected: 'a balance differs from the sum of its entries: ',
    after: ({ update, buyer }) => update('UPDATE wallets SET balance = balance + 1 WHERE user_id = ?', [buyer.userId]),
  },
  {
    name: 'a ledger entry is changed afterwards',
    expected: 'broken ledger: ',
    after: ({ update, buyer }) =>
      update('UPDATE wallet_entries SET balance = balance + 1 WHERE entry_no = 2 AND user_id = ?', [buyer.userId]),
  },
  {
    name: 'an order returns to an earlier status',
    expected: 'regressed: ',
    after: async ({ update, place, does, buyer, audited }) => {
      const { orderId } = await place(buyer, 1);
      await does(buyer, 'order:pay', { orderId });
      await audited();
      await update("UPDATE orders SET status = 'placed', version = 1, paid_at = NULL WHERE order_id = ?", [orderId]);
    },
  },
  {
    name: 'an order is in an impossible state',
    expected: 'an order is in an impossible state: ',
    after: async ({ update, place, buyer }) => {
      const { orderId } = await place(buyer, 1);
      await update("UPDATE orders SET status = 'shipped' WHERE order_id = ?", [orderId]);
    },
  },
  {
    name: 'a command is never answered',
    expected: 'never answered: order:cancel of buyer',
    after: async ({ place, buyer }) => {
      const { orderId } = await place(buyer, 1);
      const answers: unknown[] = [];
      patchMethod(CommandQueue, 'answer', () => (_, answer) => void answers.push(answer));
      buyer.do('order:cancel', { orderId }).catch(() => {});
      await until('the hub withholds the answer', () => answers.length > 0);
    },
  },
  {
    name: 'the timeline of an order lacks an entry',
    expected: "an order's timeline does not match its version: ",
    // After the day, because the hub reads stored answers from the timeline.
    after: ({ update, buyer }) => update("UPDATE orders SET timeline = '[]' WHERE buyer_id = ?", [buyer.userId]),
  },
  {
    name: 'an order’s row changes without an entry of its timeline',
    expected: 'an order differs from its timeline: ',
    after: ({ update, buyer }) =>
      update("UPDATE orders SET tracking_no = 'another' WHERE buyer_id = ? AND status = 'received'", [buyer.userId]),
  },
  {
    name: 'a change of an order is not what its timeline entry says',
    expected: 'an order differs from its timeline: ',
    before: () =>
      patchApply('shipped', ({ order, ...rest }) => {
        const nothing = { carrier: null, trackingNo: null };
        const timeline = order.after.timeline.map((entry) => {
          return entry.changes ? { ...entry, changes: { ...entry.changes, ...nothing } } : entry;
        });
        return { ...rest, order: { ...order, after: { ...order.after, timeline } } };
      }),
  },
  {
    name: 'an order has the number of another event',
    expected: 'number differs: ',
    after: ({ update, buyer }) => update('UPDATE orders SET number = number + 1 WHERE buyer_id = ?', [buyer.userId]),
  },
  {
    name: 'an event names another command than the timeline of its order',
    expected: 'event differs: ',
    after: ({ update, buyer }) => {
      const [paid, renamed] = ['"status":"paid"', '"status":"paid","command":"ship"'];
      return update('UPDATE orders SET timeline = REPLACE(timeline, ?, ?) WHERE buyer_id = ?', [
        ...[paid, renamed, buyer.userId],
      ]);
    },
  },
  {
    name: 'a top-up is credited twice',
    expected: 'duplicate: a deposit of 77',
    after: async (market) => {
      const topupId = await topUp(market);
      const { userId } = market.buyer;
      // What a hub would do that has forgotten the event.
      const sql = "UPDATE topups SET status = 'pending', event_id = NULL, settled_at = NULL WHERE user_id = ?";
      await market.update(sql, [userId]);
      await tellPaid(market, topupId);
    },
  },
  {
    name: 'a succeeded top-up is not credited',
    expected: 'a succeeded top-up was not credited once: ',
    after: async (market) => {
      patchMethod(
        UnitOfWork,
        'apply',
        (original) =>
          function (this: unknown, decided, now) {
            const { money: _, ...rest } = decided as Change;
            return original.call(this, rest.topup ? rest : decided, now);
          },
      );
      await topUp(market);
    },
  },
  {
    name: 'a top-up is settled without its event',
    expected: 'a top-up is in an impossible state: ',
    after: async (market) => {
      await topUp(market);
      await market.update('UPDATE topups SET event_id = NULL');
    },
  },
  {
    name: 'a refused payout is not returned',
    expected: 'the returned payouts differ from what wallets got back: ',
    after: ({ update, buyer }) => update("UPDATE payouts SET status = 'returned' WHERE user_id = ?", [buyer.userId]),
  },
  {
    name: 'a payout is larger than its withdrawal',
    expected: 'a payout was not debited once: ',
    after: ({ update, buyer }) => update('UPDATE payouts SET amount = amount + 1 WHERE user_id = ?', [buyer.userId]),
  },
  {
    name: 'a note is lost',
    expected: 'a note is lost: ',
    after: ({ update, buyer }) => update('DELETE FROM order_notes WHERE user_id = ?', [buyer.userId]),
  },
  {
    name: 'a note names another writer than its change',
    expected: 'a note without its timeline entry: ',
    after: ({ update, buyer, seller }) =>
      update('UPDATE order_notes SET user_id = ? WHERE user_id = ?', [seller.userId, buyer.userId]),
  },
  {
    name: 'the numbers of notes have a gap',
    expected: 'notes are not numbered in order: ',
    after: ({ update, buyer }) =>
      update('UPDATE orders SET timeline = REPLACE(timeline, ?, ?) WHERE buyer_id = ?', [
        ...['"note":2', '"note":3', buyer.userId],
      ]),
  },
  {
    name: 'an address is not written with its change',
    expected: 'an address is lost: ',
    before: () => patchApply('placed', ({ address: _, ...rest }) => rest),
  },
  {
    name: 'an address belongs to no order',
    expected: 'words of no order: ',
    after: ({ update }) => update("INSERT INTO order_addresses (order_id, deliver_to) VALUES ('none', '{}')"),
  },
  {
    name: 'a room counts an order twice',
    expected: "a room's counts differ from its user's orders: ",
    after: ({ update, seller }) =>
      update("UPDATE rooms SET cancelled = cancelled + 1 WHERE role = 'seller' AND user_id = ?", [seller.userId]),
  },
  {
    name: 'an order change reaches only one of its parties',
    expected: "a room's head differs from the versions of its orders: ",
    after: ({ update, seller }) =>
      update("UPDATE rooms SET head = head + 1 WHERE role = 'seller' AND user_id = ?", [seller.userId]),
  },
];

/** What goes wrong with the lines of an order. */
const lineFaults: Fault[] = [
  {
    name: 'more copies are shipped than an order has',
    expected: "an order's lines do not add up: ",
    after: rewrite('"copies":[[0,2]]', '"copies":[[0,4]]'),
  },
  {
    name: 'copies of an order are forgotten',
    expected: 'an order is in an impossible state: ',
    after: rewrite('"copies":[[0,1],[1,2]]', '"copies":[[0,1],[1,1]]'),
  },
  {
    name: 'an order gives back more than its total',
    expected: 'an order has given back more than its total: ',
    after: rewrite('"money":3', '"money":300'),
  },
  {
    name: 'a refund is not in the ledger',
    expected: "an order's payments do not match its status: ",
    before: () => patchCommand('refund', ({ money: _, held: _held, ...rest }) => rest),
  },
  {
    name: 'a copy is put back twice',
    expected: 'a copy was given back twice: ',
    after: rewrite('"restocked":[[0,1]]', '"restocked":[[0,2]]'),
  },
  {
    name: 'a refunded copy is not put back',
    expected: 'a stock is not accounted for: ',
    before: () => patchCommand('refund', ({ stock: _, ...rest }) => rest),
  },
  {
    name: 'a cancelled copy is not put back',
    expected: 'a stock is not accounted for: ',
    before: () =>
      patchCommand('cancel', ({ stock, ...rest }) =>
        rest.order?.after.status === 'paid' ? rest : { ...rest, stock: stock ?? [] },
      ),
  },
  {
    name: 'a refund is paid by nobody',
    expected: 'the balances differ from the deposits and withdrawals: ',
    before: () =>
      patchCommand('refund', ({ money = [], ...rest }) => ({
        ...rest,
        money: money.filter(({ kind }) => kind === 'refund'),
      })),
  },
  {
    name: 'a parcel has another tracking number than its order was given last',
    expected: 'an order differs from its timeline: ',
    after: rewrite('"trackingNo":"2"', '"trackingNo":"3"'),
  },
];

/** What goes wrong with the money that the hub holds. */
const heldFaults: Fault[] = [
  {
    name: 'a part cancel leaves its money held',
    expected: 'what is held for a seller differs from the orders on their way: ',
    before: () =>
      patchCommand('cancel', ({ held, ...rest }) =>
        rest.order?.after.status === 'paid' ? rest : { ...rest, held: held ?? [] },
      ),
  },
  {
    name: 'a completed order pays out what was refunded',
    expected: "an order's payments do not match its status: ",
    before: () =>
      patchCommand('receive', ({ money = [], ...rest }) => ({
        ...rest,
        money: money.map((movement) => ({ ...movement, amount: rest.order?.after.total ?? 0 })),
      })),
  },
  {
    name: 'a received order leaves its money held',
    expected: 'the balances differ from the deposits and withdrawals: ',
    before: () => patchApply('received', ({ held: _, ...rest }) => rest),
  },
  {
    name: 'a cancelled order leaves its money held',
    expected: 'what is held for a seller differs from the orders on their way: ',
    before: () => patchApply('cancelled', ({ held: _, ...rest }) => rest),
  },
  {
    name: 'a payment is held for another seller',
    expected: 'what is held for a seller differs from the orders on their way: ',
    after: async ({ update, place, does, buyer, otherBuyer, seller }) => {
      const { orderId } = await place(buyer, 1);
      await does(buyer, 'order:pay', { orderId });
      await update('UPDATE wallets SET held = held - 10 WHERE user_id = ?', [seller.userId]);
      await update('UPDATE wallets SET held = held + 10 WHERE user_id = ?', [otherBuyer.userId]);
    },
  },
  {
    name: 'a received order is not paid to the seller',
    expected: "an order's payments do not match its status: ",
    before: () => {
      const isFirst = firstMatch(() => true);
      patchApply('received', (decided) => {
        const { money: _, ...rest } = decided;
        return isFirst(decided) ? rest : decided;
      });
    },
  },
  {
    name: 'a paid order is the seller’s at once',
    expected: "an order's payments do not match its status: ",
    after: async ({ place, does, buyer }) => {
      patchApply('paid', ({ held = [], money = [], order }) => {
        const { orderId } = order.after;
        const sales = held.map((movement) => ({ ...movement, kind: 'sale' as const, orderId }));
        return { order, money: [...money, ...sales] };
      });
      const { orderId } = await place(buyer, 1);
      await does(buyer, 'order:pay', { orderId });
    },
  },
];

/** Orders of a store that accepts: one accepted, one waiting, one refused because the book has run out. */
async function acceptDay({ buyer, seller, does, place, storeId }: Market): Promise<Order[]> {
  const orders: Order[] = [];
  for (const bookId of ['book-1', 'book-1', 'book-2']) {
    const { orderId } = await does(buyer, 'order:place', { storeId, items: [{ bookId, count: 2 }] });
    orders.push(await does(buyer, 'order:pay', { orderId }));
  }
  const [accepted, , refused] = orders.map(({ orderId }) => orderId);
  await does(seller, 'order:accept', { orderId: accepted ?? '', readyAt: '2999-01-01T12:00:00.000Z' });
  await does(seller, 'order:accept', { orderId: accepted ?? '', readyAt: '2999-01-01T13:00:00.000Z' });
  await does(seller, 'order:cancel', { orderId: refused ?? '', unavailable: ['book-2'] });
  await place(buyer, 1);
  return orders;
}

/** What goes wrong with orders that are to be accepted. */
const acceptFaults: Fault[] = [
  {
    name: 'an order is accepted after its acceptBy',
    expected: 'an order was accepted too late: ',
    after: async (market) => {
      await acceptDay(market);
      const [within, atOnce] = ['"acceptWithinMs":600000', '"acceptWithinMs":0'];
      await market.update('UPDATE orders SET timeline = REPLACE(timeline, ?, ?)', [within, atOnce]);
    },
  },
  {
    name: 'an accepted order is cancelled as if it were not',
    expected: 'the hub cancelled a paid order that was in time: ',
    after: async (market) => {
      const [accepted] = await acceptDay(market);
      await market.update('UPDATE orders SET due_at = 1 WHERE order_id = ?', [accepted?.orderId]);
      const sql = "SELECT status FROM orders WHERE order_id = ? AND status = 'cancelled'";
      await until('the hub acts', async () => (await market.hub.rows(sql, [accepted?.orderId])).length > 0);
    },
  },
  {
    name: 'an order waits longer than its deadline',
    expected: 'an order’s alarm is not its deadline: ',
    after: async (market) => {
      const [, waiting] = await acceptDay(market);
      await market.update('UPDATE orders SET due_at = due_at + 1 WHERE order_id = ?', [waiting?.orderId]);
    },
  },
  {
    name: 'copies of an unavailable book stay on the shelf',
    expected: 'a stock is not accounted for: ',
    after: async (market) => {
      patchApply('cancelled', ({ stock = [], ...rest }) => ({
        ...rest,
        stock: stock.map(({ book }) => ({ book, delta: 2 })),
      }));
      await acceptDay(market);
    },
  },
];

/** A market whose seller has a staff of two. */
interface Shop extends Market {
  one: ReconnectingClient;
  other: ReconnectingClient;
  rota: StaffRota;
  members: [one: StaffMember, other: StaffMember];
  paid(): Promise<string>;
}

async function openShop(market: Market): Promise<Shop> {
  const { hub, history, seller, sellerToken: ownerToken, buyer, does, place } = market;
  const clerks = [await hub.person(hub.name('clerk')), await hub.person(hub.name('clerk'))] as const;
  const ownerId = seller.userId;
  const memberOf = ({ userId }: { userId: string }) => ({ userId, ownerId, ownerToken });
  const members: Shop['members'] = [memberOf(clerks[0]), memberOf(clerks[1])];
  const rota = new StaffRota({ members, urls: () => [hub.url], history, books: hub, random: Math.random });
  await rota.hireAll();
  return {
    ...market,
    one: clientOf(clerks[0], hub, history, ownerId).start(),
    other: clientOf(clerks[1], hub, history, ownerId).start(),
    rota,
    members,
    paid: async () => {
      const { orderId } = await place(buyer, 1);
      await does(buyer, 'order:pay', { orderId });
      return orderId;
    },
  };
}

/** The staff sees, claims and ships orders, one of its members is removed and comes back. */
async function staffDay({ one, other, seller, does, paid, rota, members }: Shop): Promise<void> {
  const [first, second, third, last] = [await paid(), await paid(), await paid(), await paid()];
  await does(one, 'order:seen', { orderIds: [first, second] });
  await does(other, 'order:seen', { orderIds: [second, third] });
  await does(one, 'order:claim', { orderId: first, seconds: 60 });
  await other.do('order:ship', { orderId: first });
  await does(one, 'order:ship', { orderId: first });
  await does(other, 'order:claim', { orderId: second, seconds: 60 });
  await does(other, 'order:claim', { orderId: second, seconds: 0 });
  await does(one, 'order:ship', { orderId: second });
  await does(one, 'order:claim', { orderId: third, seconds: 60 });
  await does(seller, 'order:ship', { orderId: third });
  await rota.remove(members[1]);
  await rota.hire(members[1]);
  await does(other, 'order:claim', { orderId: last, seconds: 60 });
  await does(other, 'order:ship', { orderId: last });
}

/** Claims a paid order, and waits until a socket has heard of it. */
async function claimOne({ one, does, paid, history }: Shop): Promise<string> {
  const orderId = await paid();
  await does(one, 'order:claim', { orderId, seconds: 60 });
  const isTold = () => history.sessions.some(({ claims }) => claims.some((push) => push.orderId === orderId));
  await until('the claim is told', isTold);
  return orderId;
}

/** Alters what the hub keeps and tells of claims. */
function patchClaims(modify: (unit: UnitOfWork) => void): void {
  patchMethod(
    UnitOfWork,
    'recordClaim',
    (original) =>
      function (this: unknown, order) {
        original.call(this, order);
        modify(this as UnitOfWork);
      },
  );
}

/** What goes wrong with the staff of a seller. */
const staffFaults: { name: string; expected: string; cause: (shop: Shop) => Promise<unknown> }[] = [
  {
    name: 'a member acts after its removal',
    expected: 'acted without being a member: clerk',
    cause: async ({ other, members, rota, hub, does, paid, update }) => {
      const orderId = await paid();
      const sql = 'SELECT owner_id, user_id, membership_id, rights, created_at, version FROM staff_members';
      const [row = {}] = await hub.rows(`${sql} WHERE user_id = ?`, [other.userId]);
      await rota.remove(members[1]);
      const places = Object.keys(row).map(() => '?');
      await update(
        `INSERT INTO staff_members (${Object.keys(row)}) VALUES (${places})`,
        Object.values(row) as unknown[],
      );
      await does(other, 'order:ship', { orderId });
    },
  },
  {
    name: 'a member ships what another has claimed',
    expected: 'done in spite of a claim: ',
    cause: async (shop) => {
      const orderId = await claimOne(shop);
      await shop.update('UPDATE orders SET claimed_by = NULL, claimed_until = NULL WHERE order_id = ?', [orderId]);
      await shop.does(shop.other, 'order:ship', { orderId });
    },
  },
  {
    name: 'an acknowledged claim is not written',
    expected: 'lost: order ',
    cause: async (shop) => {
      patchClaims(({ dirty }) => dirty.claims.clear());
      await claimOne(shop);
    },
  },
  {
    name: 'an order has another claim than was answered',
    expected: 'a claim differs from its answer: ',
    cause: async (shop) => {
      const orderId = await claimOne(shop);
      await shop.update('UPDATE orders SET claimed_by = ? WHERE order_id = ?', [shop.other.userId, orderId]);
    },
  },
  {
    name: 'an order is claimed without a command',
    expected: 'claimed without a command: ',
    cause: async ({ hub, paid, seller }) => {
      const request = { orderId: await paid(), seconds: 60 };
      await hub.hub.app.get(CommandQueue).submit('order:claim', seller.userId, request);
    },
  },
  {
    name: 'a claim is told with another end than it has',
    expected: 'phantom claim: ',
    cause: async (shop) => {
      patchClaims(({ claims }) => {
        for (const { push } of claims) push.until = '2999-01-01T12:00:00.000Z';
      });
      await claimOne(shop);
    },
  },
  {
    name: 'a claim is told to the buyer',
    expected: 'wrong user: client-of-buyer',
    cause: async (shop) => {
      patchMethod(
        EventPublisher,
        'pushClaims',
        (original) =>
          function (this: unknown, claims) {
            const each = claims as { ownerId: string }[];
            return original.call(
              this,
              each.map((claim) => ({ ...claim, ownerId: shop.buyer.userId })),
            );
          },
      );
      await claimOne(shop);
    },
  },
  {
    name: 'a claim has no end',
    expected: 'a claim is in an impossible state: ',
    cause: async (shop) => {
      const orderId = await claimOne(shop);
      await shop.update('UPDATE orders SET claimed_until = NULL WHERE order_id = ?', [orderId]);
    },
  },
  {
    name: 'a change by a member names the seller',
    expected: 'wrong user: order:ship of clerk',
    cause: async ({ one, seller, does, paid }) => {
      patchCommand('ship', (decided) => {
        const entry = decided.order?.after.timeline.at(-1);
        if (entry) entry.by = seller.userId;
        return decided;
      });
      await does(one, 'order:ship', { orderId: await paid() });
    },
  },
  {
    name: 'an order that was acknowledged as seen is not',
    expected: 'lost: order:seen of clerk',
    cause: async ({ one, does, paid }) => {
      patchMethod(
        UnitOfWork,
        'apply',
        (original) =>
          function (this: unknown, decided, now) {
            return original.call(this, { ...(decided as Change), orders: [] }, now);
          },
      );
      await does(one, 'order:seen', { orderIds: [await paid()] });
    },
  },
  {
    name: 'two are the first to see an order',
    expected: 'an order was seen twice: ',
    cause: async ({ one, does, paid, update }) => {
      const orderId = await paid();
      await does(one, 'order:seen', { orderIds: [orderId] });
      await does(one, 'order:note', { orderId, text: 'seen' });
      const [noted, seen] = ['"command":"note"', '"command":"seen"'];
      await update('UPDATE orders SET timeline = REPLACE(timeline, ?, ?) WHERE order_id = ?', [noted, seen, orderId]);
    },
  },
  {
    name: 'a seller is a member of the own staff',
    expected: 'a staff is in an impossible state: ',
    cause: ({ update, other }) =>
      update('UPDATE staff_members SET user_id = owner_id WHERE user_id = ?', [other.userId]),
  },
];

describe('the auditor', () => {
  let database: TestDatabase;
  let market: Market;
  // Closing a hub takes a moment; the next market need not wait for it.
  const stopping: Promise<void>[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    market = await openMarket(database);
  });
  afterEach(async () => {
    for (const restore of restores.splice(0).reverse()) restore();
    await Promise.all([market.seller.stop(), market.buyer.stop(), market.otherBuyer.stop()]);
    stopping.push(market.hub.stop());
  });
  afterAll(() => Promise.all(stopping));

  test('finds no faults in a correct run with disconnects and retries', async () => {
    const { buyer, otherBuyer, seller, place, does, history, hub } = market;
    await runDay(market, buyer, otherBuyer);
    for (const round of range(12)) {
      const publisher = market.hub.hub.app.get(EventPublisher) as unknown as {
        subscriptionsByUser: Map<string, Set<{ socket: { disconnect(close: true): void } }>>;
      };
      const orders = Promise.all([buyer, otherBuyer].map((client) => place(client, 1)));
      if (round % 4 === 0)
        for (const subscription of [...publisher.subscriptionsByUser.values()].flatMap((subscriptions) => [
          ...subscriptions,
        ]))
          subscription.socket.disconnect(true);
      for (const [index, { orderId }] of (await orders).entries()) {
        await does(index === 0 ? buyer : otherBuyer, 'order:pay', { orderId });
        await does(seller, 'order:ship', { orderId });
      }
    }
    await market.audited();
    expect(await close(market, SETTLED_WITHIN_MS)).toEqual([]);
    expect(history.sent.length).toBeGreaterThanOrEqual(150);
    expect(history.sessions.filter(({ clientId }) => clientId === buyer.clientId).length).toBeGreaterThan(1);
    expect(history.sessions.flatMap(({ events }) => events).length).toBe(
      (await hub.rows('SELECT seq FROM room_events')).length,
    );
    expect([market.auditor.audits > 0, market.auditor.missedAudits]).toEqual([true, 0]);
  });

  test('finds no faults in a day without an injected fault', async () => {
    await runDay(market, market.buyer);
    await market.audited();
    expect(await close(market, SETTLED_WITHIN_MS)).toEqual([]);
  });

  test.each([...faults, ...lineFaults])('detects that $name', async ({ expected, before, after }) => {
    before?.(market);
    await runDay(market, market.buyer);
    await after?.(market);
    const found = await close(market, NOT_SETTLED_WITHIN_MS);
    expect(found.filter((fault) => fault.startsWith(expected))).not.toEqual([]);
  });

  describe('of money that the hub holds', () => {
    beforeEach(async () => {
      await Promise.all([market.seller.stop(), market.buyer.stop(), market.otherBuyer.stop()]);
      await market.auditor.finish();
      stopping.push(market.hub.stop());
      database = await createTestDatabase();
      market = await openMarket(database, { settleAt: 'received' });
    });

    test('finds no faults in a day without an injected fault', async () => {
      await runDay(market, market.buyer, market.otherBuyer);
      await market.audited();
      expect(await close(market, SETTLED_WITHIN_MS)).toEqual([]);
    });

    test.each(heldFaults)('detects that $name', async ({ expected, before, after }) => {
      before?.(market);
      await runDay(market, market.buyer);
      await after?.(market);
      const found = await close(market, NOT_SETTLED_WITHIN_MS);
      expect(found.filter((fault) => fault.startsWith(expected))).not.toEqual([]);
    });
  });

  describe('of orders that are to be accepted', () => {
    beforeEach(async () => {
      await Promise.all([market.seller.stop(), market.buyer.stop(), market.otherBuyer.stop()]);
      await market.auditor.finish();
      stopping.push(market.hub.stop());
      database = await createTestDatabase();
      market = await openMarket(database, { settleAt: 'received' });
      const { hub, seller, storeId } = market;
      const request = { storeId, acceptWithinSeconds: 600 };
      expect(await hub.hub.app.get(CommandQueue).submit('store:change', seller.userId, request)).toMatchObject({
        ok: true,
      });
    });

    test('finds no faults in a day without an injected fault', async () => {
      await runDay(market, market.otherBuyer);
      await acceptDay(market);
      await market.audited();
      expect(await close(market, SETTLED_WITHIN_MS)).toEqual([]);
    });

    test.each(acceptFaults)('detects that $name', async ({ expected, after }) => {
      await after?.(market);
      const found = await close(market, NOT_SETTLED_WITHIN_MS);
      expect(found.filter((fault) => fault.startsWith(expected))).not.toEqual([]);
    });
  });

  describe('of a seller’s staff', () => {
    let shop: Shop;
    beforeEach(async () => {
      shop = await openShop(market);
    });
    afterEach(() => Promise.all([shop.one.stop(), shop.other.stop()]));

    test('finds no faults in a day without an injected fault', async () => {
      await runDay(shop, shop.buyer);
      await staffDay(shop);
      await market.audited();
      await market.auditor.settled(SETTLED_WITHIN_MS);
      await Promise.all([shop.one.stop(), shop.other.stop()]);
      expect(await close(market, SETTLED_WITHIN_MS)).toEqual([]);
      expect(shop.history.counts()['order:ship']).toMatchObject({ CLAIMED: 1 });
    });

    test.each(staffFaults)('detects that $name', async ({ expected, cause }) => {
      await staffDay(shop);
      await cause(shop);
      await Promise.all([shop.one.stop(), shop.other.stop()]);
      const found = await close(market, NOT_SETTLED_WITHIN_MS);
      expect(found.filter((fault) => fault.startsWith(expected))).not.toEqual([]);
    });
  });

  test('detects money that nobody has paid in', async () => {
    const { buyer, does, hub } = market;
    await runDay(market, buyer);
    const pending = () => hub.rows("SELECT payout_id FROM payouts WHERE status = 'pending'");
    await until('every payout is settled', async () => (await pending()).length === 0);
    const sumOf = async (kind: string) => {
      const sql = 'SELECT COALESCE(SUM(amount), 0) AS money FROM wallet_entries WHERE kind = ?';
      return Number((await hub.rows<{ money: number }>(sql, [kind]))[0]?.money);
    };
    const paid = { paidIn: await sumOf('deposit'), paidOut: -(await sumOf('withdrawal')) };
    expect(await audit(hub, { paid })).toEqual([]);
    await does(buyer, 'wallet:deposit', { amount: 1 });
    expect(await audit(hub, { paid })).toEqual([
      expect.stringContaining('the balances differ from what was paid in and out: '),
    ]);
  });

  test('reads a consistent snapshot, and reconnects after an error', async () => {
    const reader = new DatabaseReader(database);
    const sql = 'SELECT COUNT(*) AS orders FROM orders';
    const [before, after] = await reader.snapshot(async (books) => {
      const first = await books.rows(sql);
      await market.place(market.buyer, 1);
      return [first, await books.rows(sql)];
    });
    expect(after).toEqual(before);
    expect(await reader.rows(sql)).toEqual([{ orders: 1 }]);
    await expect(reader.rows('SELECT nothing FROM nowhere')).rejects.toThrow();
    expect(await reader.rows(sql)).toEqual([{ orders: 1 }]);
    await expect(reader.rows('DELETE FROM orders')).rejects.toThrow(/read/i);
    await reader.close();
    await market.auditor.finish();
  });
});
