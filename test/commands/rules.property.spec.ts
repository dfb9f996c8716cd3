import process from 'node:process';
import { inspect, isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { accountOf, type Command, messageHash } from '../../src/commands/command.js';
import { parseOrder } from '../../src/commands/order.columns.js';
import {
  type BookRow,
  memberOf,
  type NoteRow,
  type OrderChanges,
  type OrderRow,
  pair,
} from '../../src/commands/rows.js';
import { encodeTimeline } from '../../src/commands/timeline.codec.js';
import { UnitOfWork } from '../../src/commands/unit.of.work.js';
import type { Order } from '../../src/contract/orders.js';
import type { StoreView } from '../../src/contract/stores.js';
import { orderStatuses } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import { presentOrder } from '../../src/orders/order.presenter.js';
import { orderAt } from '../../src/orders/order.timeline.js';
import { executeOn, openStore, storedAnswer } from '../support/handlers.js';
import { Market, orderTransitions, type Rejection, type Rules } from '../support/market.model.js';
import { newRoom } from '../support/rows.js';

/** Mutation testing runs fewer histories per mutant, too few to check their coverage. */
const REDUCED_HISTORIES = process.env.HISTORIES;
const HISTORIES = Number(REDUCED_HISTORIES ?? 3_000);
/** On a busy machine. */
const TIMEOUT_MS = 180_000;
const COMMANDS_MIN = 20;
const COMMANDS_MAX = 40;
const BALANCE_MAX = 2 ** 53 - 1;
const PRICE_MAX = 10 ** 12;
const STOCK_MAX = 1_000_000;
const UNPAID_TTL_MS = 1_000;
const AUTO_RECEIVE_MS = 5_000;
const SHIP_WITHIN_MS = 500;
const PAUSE_MS = 10;

/** An amount that stands for the whole balance. */
const WHOLE_BALANCE = -1;

const users = ['ann', 'bob', 'cat', 'dan', 'eve', 'fay', 'gone'];
const roles = ['buyer', 'seller'] as const;
/** A user who has unregistered. */
const UNREGISTERED = 'gone';
/** Opening balances; dan's wallet is nearly full. */
const openingBalances: Record<string, number> = { ann: 4, bob: 6, cat: 90, dan: BALANCE_MAX - 4, eve: 20 };
/**
 * They act for the seller whom their command is about. eve knows her latest membership there, and fay, on a device that never connects
 * again, only her first.
 */
const clerks = ['eve', 'fay'];
const employers = ['ann', 'bob'];
const initialBooks: (Omit<BookRow, 'bookNo' | 'title' | 'listed'> & { ownerId: string; listed?: number })[] = [
  { storeId: 'ann-1', ownerId: 'ann', bookId: 'x', price: 5, stock: 6, lowMark: 3 },
  { storeId: 'ann-1', ownerId: 'ann', bookId: 'free', price: 0, stock: 4, lowMark: 0 },
  { storeId: 'ann-1', ownerId: 'ann', bookId: 'hidden', price: 1, stock: 9, lowMark: 2, listed: 0 },
  { storeId: 'ann-1', ownerId: 'ann', bookId: 'gold', price: PRICE_MAX, stock: STOCK_MAX, lowMark: 5 },
  { storeId: 'bob-1', ownerId: 'bob', bookId: 'x', price: 7, stock: 8, lowMark: 5 },
  { storeId: 'bob-2', ownerId: 'bob', bookId: 'x', price: 3, stock: 2, lowMark: 5 },
  { storeId: 'bob-2', ownerId: 'bob', bookId: 'heap', price: 1, stock: STOCK_MAX - 2, lowMark: 5 },
  { storeId: 'dan-1', ownerId: 'dan', bookId: 'x', price: 9, stock: 30, lowMark: 28 },
  { storeId: 'gone-1', ownerId: UNREGISTERED, bookId: 'x', price: 1, stock: 1, lowMark: 5 },
];

/** Orders and keyed commands are referred to by their recency, so that every shrunk history stays meaningful. */
type Action =
  | {
      do: 'place';
      by: string;
      storeId: string;
      items: { bookId: string; count: number }[];
      totalError?: number;
      words?: Words;
    }
  | {
      do: 'pay' | 'ship' | 'receive' | 'cancel';
      by: string;
      order: number;
      totalError?: number;
      text?: string;
      part?: Part;
      parcel?: number;
      unavailable?: string[];
    }
  | { do: 'refund'; by: string; order: number; part?: Part; amount?: number; restock?: boolean }
  | { do: 'track'; by: string; order: number; parcel?: number; text?: string }
  | { do: 'note' | 'readdress'; by: string; order: number }
  | { do: 'accept'; by: string; order: number; readyMs?: number }
  | { do: 'seen'; by: string; orders: number[] }
  | { do: 'claim'; by: string; order: number; seconds: number }
  | { do: 'staff'; ownerId: string; clerk: string }
  | { do: 'next'; order: number }
  | { do: 'due'; order: number }
  | { do: 'deposit' | 'withdraw'; by: string; amount: number }
  | { do: 'add'; by: string; storeId: string; bookId: string; add: number }
  | { do: 'say'; by: string; storeId: string; saying: Saying }
  | { do: 'again'; earlier: number }
  | ({ do: 'restart' } & Terms);
/** What no command does: the hub is restarted with other terms, or a clerk is hired or removed. */
type Event = Extract<Action, { do: 'restart' | 'staff' }>;
/** Copies of an order: one of its first line, one of each line, all of its last line, one too many, or of a book that it lacks. */
type Part = 'one' | 'each' | 'last' | 'too many' | 'unknown';
interface Saying {
  name?: string;
  open?: boolean;
  pauseMs?: number | null;
  acceptWithinSeconds?: number;
}
/** Whether it comes with an address, and a note. */
type Words = 'address' | 'note' | 'both';
type Terms = Pick<Rules, 'settleAt' | 'shipWithinMs'> & { needsAddress?: boolean };
interface Step {
  afterMs: number;
  key?: string;
  action: Action;
}

/** Mostly one of the common values, occasionally one of the rare ones. */
function mostly<T>(common: readonly T[], rare: readonly T[], weight = 12): fc.Arbitrary<T> {
  return fc.oneof(
    { weight, arbitrary: fc.constantFrom(...common) },
    { weight: 1, arbitrary: fc.constantFrom(...rare) },
  );
}

const NO_ORDER = 'no-such-order';
const deliverTo = { name: 'Cat', lines: ['1 Elm Street'] };
const storeIds = ['ann-1', 'bob-1', 'bob-2', 'dan-1'];
const storeId = mostly(storeIds, ['gone-1', 'no-such-store']);
const bookId = mostly(['x', 'free', 'heap', 'gold'], ['no-such-book', 'hidden']);
/** Mostly a recent order; occasionally one that was never placed. */
const order = mostly([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 5, 8], [-1], 30);
const totalError = mostly([undefined, undefined, undefined, 0], [1, -1]);
const user = mostly(['ann', 'bob', 'cat', 'dan'], [UNREGISTERED, 'eve'], 30);
const buyer = mostly(['cat', 'cat', 'cat', 'ann', 'bob', 'dan', 'dan'], [UNREGISTERED, 'eve']);
const actor = (...common: string[]) => mostly(common, ['buyer', 'seller', 'ann', 'cat', UNREGISTERED]);
const shop = actor('seller', 'seller', 'seller', 'eve', 'fay');
const part = mostly<Part | undefined>([undefined, 'one', 'each', 'last'], ['too many', 'unknown']);
const parcel = mostly([undefined, undefined, 1], [2, 3], 3);
const count = mostly([1, 1, 2, 3], [9, 9_008, 1_000_000], 4);
const items = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ bookId: fc.constant('x'), count: fc.constantFrom(1, 1, 2) }).map((item) => [item]),
  },
  {
    weight: 2,
    arbitrary: fc.uniqueArray(fc.record({ bookId, count }), {
      minLength: 1,
      maxLength: 3,
      selector: (item) => item.bookId,
    }),
  },
);
/** Only what the hub holds can be given back whatever the seller has withdrawn. */
const terms: fc.Arbitrary<Terms> = fc.constantFrom<Terms>(
  { settleAt: 'paid', shipWithinMs: 0 },
  { settleAt: 'received', shipWithinMs: 0 },
  { settleAt: 'received', shipWithinMs: SHIP_WITHIN_MS },
  { settleAt: 'received', shipWithinMs: 0, needsAddress: true },
);
const accepting: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('accept'),
  by: shop,
  order,
  readyMs: fc.constantFrom(undefined, 60_000, -1),
});
const claimSeconds = fc.constantFrom(1, 1, 900, 0);
const staff: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('staff'),
  ownerId: fc.constantFrom(...employers),
  clerk: fc.constantFrom(...clerks),
});
/** Mostly such that the store goes on: in a closed one nothing happens. */
const saying = fc.constantFrom<Saying[]>(
  ...[{ acceptWithinSeconds: 1 }, { acceptWithinSeconds: 1 }, { acceptWithinSeconds: 0 }],
  ...[{ open: true, pauseMs: null }, { open: true, pauseMs: null }, { name: 'Corner Books' }, {}],
  ...[{ open: false }, { pauseMs: PAUSE_MS }, { pauseMs: 0 }, { open: true }],
);
const words = fc.constantFrom<(Words | undefined)[]>(undefined, 'address', 'note', 'both');
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant('place'), by: buyer, storeId, items, totalError, words }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('next'), order }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pay'), by: actor('buyer'), order, totalError }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('ship'),
      by: shop,
      order,
      part,
      text: fc.constantFrom(undefined, 'SF1'),
    }),
  },
  { weight: 3, arbitrary: accepting },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('receive'), by: actor('buyer'), order, parcel }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refund'),
      by: shop,
      order,
      part,
      amount: fc.constantFrom(1, 1, 3, WHOLE_BALANCE, PRICE_MAX),
      restock: fc.constantFrom(undefined, true, false),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('track'),
      by: shop,
      order,
      parcel,
      text: fc.constantFrom(undefined, 'SF2'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('cancel'),
      by: actor('buyer', 'buyer', 'seller', 'seller', 'eve'),
      order,
      part,
      text: fc.constantFrom(undefined, 'changed my mind'),
      unavailable: mostly([undefined, undefined, ['x']], [[], ['no-such-book'], ['x', 'free']], 6),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('note'), by: actor('buyer', 'seller'), order }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('readdress'), by: actor('buyer', 'seller'), order }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('seen'),
      by: shop,
      orders: fc.array(order, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('claim'), by: shop, order, seconds: claimSeconds }) },
  { weight: 1, arbitrary: staff },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('due'), order }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('deposit'), by: user, amount: fc.constantFrom(1, 5, 20, PRICE_MAX) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('withdraw'),
      by: user,
      amount: fc.constantFrom(1, 5, PRICE_MAX, WHOLE_BALANCE, WHOLE_BALANCE),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('add'),
      by: user,
      storeId,
      bookId,
      add: fc.constantFrom(1, 2, 3, -1, -2, -STOCK_MAX),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('say'),
      by: mostly(['owner'], ['ann', UNREGISTERED, 'eve'], 8),
      storeId,
      saying,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('again'), earlier: fc.nat(5) }) },
  { weight: 1, arbitrary: terms.map((others): Action => ({ do: 'restart', ...others })) },
);
const step: fc.Arbitrary<Step> = fc.record({
  afterMs: mostly(
    [0, 0, 0, 1, 10],
    [400, SHIP_WITHIN_MS - 1, SHIP_WITHIN_MS, UNPAID_TTL_MS - 1, UNPAID_TTL_MS, AUTO_RECEIVE_MS],
    20,
  ),
  key: mostly([undefined], ['k1', 'k2', 'k3', 'k4', 'k5', 'k6'], 4),
  action,
});
/** Refunds that the seller cannot fund or the buyer's wallet cannot hold: random steps rarely produce them. */
const refund = fc
  .record({
    buyer: fc.constantFrom('cat', 'dan'),
    storeId: fc.constantFrom('ann-1', 'bob-1'),
    walletOwner: fc.constantFrom('buyer', 'seller'),
    canceller: fc.constantFrom('buyer', 'seller'),
  })
  .map(({ buyer, storeId, walletOwner, canceller }): Step[] => {
    const transfer: Action =
      walletOwner === 'buyer'
        ? { do: 'deposit', by: walletOwner, amount: 5 }
        : { do: 'withdraw', by: walletOwner, amount: WHOLE_BALANCE };
    const actions: Action[] = [
      { do: 'place', by: buyer, storeId, items: [{ bookId: 'x', count: 1 }] },
      { do: 'next', order: 0 },
      transfer,
      { do: 'cancel', by: canceller, order: 0 },
    ];
    return actions.map((action) => ({ afterMs: 0, action }));
  });
/** One order in several parcels, with cancellations and refunds between them: random steps rarely meet one order so often. */
const parcels = fc
  .record({
    buyer: fc.constantFrom('cat', 'dan'),
    withdraws: fc.boolean(),
    parts: fc.array(
      fc.oneof(
        fc.record({
          do: fc.constantFrom('ship', 'ship', 'cancel'),
          by: fc.constant('seller'),
          order: fc.constant(0),
          part,
          unavailable: mostly<string[] | undefined>([undefined], [['x'], ['free'], ['no-such-book']], 5),
        }),
        fc.record({ do: fc.constant('receive'), by: fc.constant('buyer'), order: fc.constant(0), parcel }),
        fc.record({
          do: fc.constant('track'),
          by: fc.constant('seller'),
          order: fc.constant(0),
          parcel,
          text: fc.constant('SF3'),
        }),
        fc.record({ do: fc.constant('due'), order: fc.constant(0) }),
        fc.record({
          do: fc.constant('refund'),
          by: fc.constant('seller'),
          order: fc.constant(0),
          part,
          amount: fc.constantFrom(1, 5, WHOLE_BALANCE),
          restock: fc.boolean(),
        }),
      ) as fc.Arbitrary<Action>,
      { minLength: 3, maxLength: 10 },
    ),
    afterMs: fc.constantFrom(0, 0, 1, SHIP_WITHIN_MS, AUTO_RECEIVE_MS),
  })
  .map(({ buyer, withdraws, parts, afterMs }): Step[] => {
    const items = [
      { bookId: 'x', count: 2 },
      { bookId: 'free', count: 2 },
    ];
    const begun: Action[] = [
      { do: 'deposit', by: buyer, amount: 20 },
      { do: 'add', by: 'ann', storeId: 'ann-1', bookId: 'x', add: 2 },
      { do: 'add', by: 'ann', storeId: 'ann-1', bookId: 'free', add: 2 },
      { do: 'say', by: 'owner', storeId: 'ann-1', saying: { open: true, pauseMs: null } },
      { do: 'place', by: buyer, storeId: 'ann-1', items, words: 'address' },
      { do: 'next', order: 0 },
      ...(withdraws ? [{ do: 'withdraw', by: 'ann', amount: WHOLE_BALANCE } as const] : []),
    ];
    return [...begun.map((action) => ({ afterMs: 0, action })), ...parts.map((action) => ({ afterMs, action }))];
  });
/** Orders of a store that accepts within a second, about when that is over. */
const acceptance = fc
  .record({
    act: fc.constantFrom(undefined, undefined, 'accept' as const, 'ship' as const, 'note' as const),
    last: fc.constantFrom('due' as const, 'due' as const, 'accept' as const, 'ship' as const),
    afterMs: fc.constantFrom(999, 1_000, 1_001),
  })
  .map(({ act, last, afterMs }): Step[] => {
    const saying = { open: true, pauseMs: null, acceptWithinSeconds: 1 };
    const actions: Action[] = [
      { do: 'restart', settleAt: 'received', shipWithinMs: 0 },
      { do: 'say', by: 'owner', storeId: 'bob-1', saying },
      { do: 'place', by: 'cat', storeId: 'bob-1', items: [{ bookId: 'x', count: 1 }] },
      { do: 'next', order: 0 },
      ...(act ? [{ do: act, by: 'seller', order: 0 } as const] : []),
    ];
    const atLast: Action = last === 'due' ? { do: 'due', order: 0 } : { do: last, by: 'seller', order: 0 };
    return [...actions.map((action) => ({ afterMs: 0, action })), { afterMs, action: atLast }];
  });
/** Two clerks and their seller on one order, about when a claim of it ends, with one of them removed and hired at times. */
const colleagues = fc
  .record({
    settled: terms,
    acts: fc.array(
      fc.record({
        afterMs: fc.constantFrom(0, 0, 0, 999, 1, 1_000),
        key: fc.constantFrom(undefined, undefined, undefined, 'k1', 'k2'),
        action: fc.oneof(
          fc.record({
            do: fc.constant('claim' as const),
            by: fc.constantFrom('eve', 'fay', 'fay', 'seller'),
            order: fc.constant(0),
            seconds: claimSeconds,
          }),
          fc.record({
            do: fc.constantFrom('ship' as const, 'accept' as const, 'cancel' as const, 'refund' as const),
            by: fc.constantFrom('eve', 'fay', 'seller', 'buyer'),
            order: fc.constant(0),
            part: fc.constantFrom('one' as const, undefined),
          }),
          fc.record({
            do: fc.constant('seen' as const),
            by: fc.constantFrom('eve', 'fay', 'seller', 'buyer'),
            orders: fc.constantFrom([0], [0, 1], [0, 1, 0], [1, -1]),
          }),
          fc.record({ do: fc.constant('again' as const), earlier: fc.constantFrom(0, 1) }),
          fc.record({
            do: fc.constant('staff' as const),
            ownerId: fc.constant('bob'),
            clerk: fc.constantFrom('eve', 'fay'),
          }),
        ) as fc.Arbitrary<Action>,
      }),
      { minLength: 4, maxLength: 12 },
    ),
  })
  .map(({ settled, acts }): Step[] => {
    const begun: Action[] = [
      { do: 'restart', ...settled },
      { do: 'say', by: 'owner', storeId: 'bob-1', saying: { open: true, pauseMs: null } },
      { do: 'add', by: 'bob', storeId: 'bob-1', bookId: 'x', add: 3 },
      { do: 'deposit', by: 'cat', amount: 20 },
      { do: 'place', by: 'cat', storeId: 'bob-1', items: [{ bookId: 'x', count: 2 }], words: 'both' },
      { do: 'next', order: 0 },
    ];
    const steps = acts.map(({ key, ...act }): Step => (key === undefined ? act : { ...act, key }));
    return [...begun.map((action) => ({ afterMs: 0, action })), ...steps];
  });
/** A parcel, and what becomes of the other copies, about when the hub receives each. */
const deliveries = fc
  .record({
    settled: terms,
    rest: fc.constantFrom('ship' as const, 'cancel' as const, 'receive' as const),
    last: fc.constantFrom('due' as const, 'cancel' as const),
  })
  .map(({ settled: { settleAt }, rest, last }): Step[] => {
    const begun: Action[] = [
      { do: 'restart', settleAt, shipWithinMs: 0 },
      { do: 'say', by: 'owner', storeId: 'bob-1', saying: { open: true, pauseMs: null, acceptWithinSeconds: 0 } },
      { do: 'add', by: 'bob', storeId: 'bob-1', bookId: 'x', add: 3 },
      { do: 'deposit', by: 'cat', amount: 20 },
      { do: 'place', by: 'cat', storeId: 'bob-1', items: [{ bookId: 'x', count: 2 }] },
      { do: 'next', order: 0 },
      { do: 'ship', by: 'seller', order: 0, part: 'one' },
    ];
    const then: Action = { do: rest, by: rest === 'receive' ? 'buyer' : 'seller', order: 0 };
    return [
      ...begun.map((action) => ({ afterMs: 0, action })),
      { afterMs: 1, action: then },
      {
        afterMs: AUTO_RECEIVE_MS - 1,
        action: last === 'due' ? { do: last, order: 0 } : { do: last, by: 'seller', order: 0 },
      },
      { afterMs: 1, action: { do: 'due', order: 0 } },
    ];
  });
/** A store that is paused, about when that is over. */
const pause = fc
  .record({
    pauseMs: fc.constantFrom(PAUSE_MS, PAUSE_MS, 0, null),
    afterMs: fc.constantFrom(0, PAUSE_MS - 1, PAUSE_MS),
    words,
  })
  .map(({ pauseMs, afterMs, words }): Step[] => [
    { afterMs: 0, action: { do: 'say', by: 'owner', storeId: 'bob-1', saying: { open: true, pauseMs } } },
    { afterMs: 0, action: { do: 'add', by: 'bob', storeId: 'bob-1', bookId: 'x', add: 1 } },
    {
      afterMs,
      action: {
        do: 'place',
        by: 'cat',
        storeId: 'bob-1',
        items: [{ bookId: 'x', count: 1 }],
        ...(words ? { words } : {}),
      },
    },
  ]);
const history = fc.record({
  autoReceiveMs: fc.constantFrom(AUTO_RECEIVE_MS, AUTO_RECEIVE_MS, 0),
  terms,
  steps: fc
    .array(
      fc.oneof(
        { weight: 40, arbitrary: step.map((single) => [single]) },
        { weight: 1, arbitrary: refund },
        { weight: 2, arbitrary: parcels },
        { weight: 1, arbitrary: pause },
        { weight: 1, arbitrary: deliveries },
        { weight: 1, arbitrary: acceptance },
        { weight: 2, arbitrary: colleagues },
      ),
      { minLength: COMMANDS_MIN, maxLength: COMMANDS_MAX, size: 'max' },
    )
    .map((parts) => parts.flat()),
});

/** The contract's moves of an order, by command, and who may send it. */
const moves = {
  pay: ['placed paid'],
  ship: ['paid paid', 'paid shipped'],
  receive: ['paid paid', 'shipped shipped', 'shipped received'],
  cancel: ['placed cancelled', 'paid paid', 'paid cancelled', 'paid shipped', 'paid received'],
  refund: ['paid paid', 'shipped shipped', 'received received'],
  track: ['paid paid', 'shipped shipped'],
};
const senders: Record<keyof typeof moves, readonly string[]> = {
  ...{ pay: ['buyer'], ship: ['seller'], receive: ['buyer'], cancel: ['buyer', 'seller'] },
  ...{ refund: ['seller'], track: ['seller'] },
};
const usualCommands = { placed: 'place', paid: 'pay', shipped: 'ship', received: 'receive', cancelled: 'cancel' };

/** What an order says of its lines and parcels, with the copies that are left. */
function linesOf({ items, parcels, refunded }: Order): object {
  return {
    lines: items.map(({ bookId, count, shipped, cancelled, refunded }) => {
      return { bookId, count, left: count - shipped - cancelled, shipped, cancelled, refunded };
    }),
    parcels: parcels.map(({ parcel, items, carrier, trackingNo, receivedAt }) => {
      return { parcel, items, carrier, trackingNo, isReceived: receivedAt !== null };
    }),
    refunded,
  };
}

function isAmendment({ command }: { command: string }): boolean {
  return ['note', 'readdress', 'accept', 'seen'].includes(command);
}

/** Jest's own comparison is too slow for millions of calls. */
function assertEqual(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what} is ${inspect(actual, { depth: 9 })}, expected ${inspect(expected, { depth: 9 })}`);
}

/** Runs one history on the hub's rules, over a unit of work in memory, and compares them with the model. */
class HistoryRun {
  readonly unit: UnitOfWork;
  readonly market: Market;
  /** Shared by both; a restart changes them. */
  private readonly rules: Rules;
  private readonly executed: Command[] = [];
  private readonly firstAnswers = new Map<string, { message: string; answer: Answer<unknown> }>();
  private readonly addedStock = new Map<number, number>();
  /** Each order as it was answered, by id and version. */
  private readonly answered: { order: Order; role: 'buyer' | 'seller' | 'hub'; at: number }[] = [];
  private readonly placedIds: string[] = [];
  /** The ids of all memberships that there were, by seller and clerk, oldest first. */
  private readonly memberships = new Map<string, string[]>();
  /** How often each order was claimed or freed. */
  private readonly claimCounts = new Map<string, number>();
  private eventsBefore = 0;
  private readonly notes = new Map<string, readonly NoteRow[]>();
  private readonly addressed = new Set<string>();
  private snapshotBefore = '';
  private now = 1_800_000_000_000;

  constructor(
    autoReceiveMs: number,
    terms: Terms,
    private readonly outcomes: Set<string>,
  ) {
    const { needsAddress = false } = terms;
    this.rules = { unpaidTtlMs: UNPAID_TTL_MS, autoReceiveMs, ...terms, needsAddress };
    this.unit = new UnitOfWork(this.rules);
    this.market = new Market(this.rules);
    for (const userId of users) this.seedUser(userId, openingBalances[userId] ?? 0);
    initialBooks.forEach((book, index) => {
      this.seedBook(book, index + 1);
    });
    for (const ownerId of employers) for (const clerk of clerks) this.toggleMember(ownerId, clerk);
    this.snapshotBefore = this.snapshot();
  }

  /** Removes a clerk who is a member of the staff, and hires one who is not, by another membership than before. */
  private toggleMember(ownerId: string, clerk: string): void {
    const both = pair(ownerId, clerk);
    const isRemoved = this.unit.memberships.delete(both);
    this.market.staff.delete(`${ownerId} ${clerk}`);
    if (isRemoved) return;
    const earlier = this.memberships.get(both) ?? [];
    const membershipId = `membership-${earlier.length}-of-${clerk}-at-${ownerId}`;
    this.memberships.set(both, [...earlier, membershipId]);
    this.unit.addMembership({ ownerId, userId: clerk, membershipId }, 'read');
    this.market.staff.set(`${ownerId} ${clerk}`, membershipId);
  }

  private seedUser(userId: string, amount: number): void {
    const { unit, market } = this;
    if (userId !== UNREGISTERED) {
      unit.users.add(userId);
      market.users.add(userId);
    }
    unit.wallets.set(userId, { userId, balance: amount, held: 0, entries: 1, version: 1 });
    unit.dirty.entries.push({
      userId,
      entryNo: 1,
      amount,
      balance: amount,
      kind: 'deposit',
      orderId: null,
      at: this.now,
    });
    market.balances.set(userId, BigInt(amount));
    for (const role of roles) unit.rooms.set(pair(role, userId), newRoom(role, userId));
  }

  private seedBook(book: (typeof initialBooks)[number], bookNo: number): void {
    const { storeId, ownerId, bookId, price, stock, lowMark, listed = 1 } = book;
    const { unit, market } = this;
    unit.addChangedStore({ storeId, name: null, createdAt: this.now, version: 0, ...openStore(ownerId) });
    market.stores.set(storeId, { ownerId, name: null, isOpen: true, pausedUntil: null, acceptWithinSeconds: 0 });
    unit.addBook({ bookNo, storeId, bookId, title: `${bookId} of ${storeId}`, price, stock, lowMark, listed });
    const emptyTexts = {
      author: null,
      publisher: null,
      isbn: null,
      tags: null,
      summary: null,
      coverUrl: null,
      details: null,
    };
    unit.texts.set(bookNo, { bookNo, ...emptyTexts });
    market.books.push({ storeId, bookId, listed: listed === 1, price: BigInt(price), stock, lowMark });
  }

  execute({ afterMs, key, action }: Step): void {
    this.now += afterMs;
    if (action.do === 'restart' || action.do === 'staff') {
      this.happen(action);
      return;
    }
    const command = this.commandOf(action, key);
    if (!command) return;
    this.executed.push(command);
    this.eventsBefore = this.unit.dirty.events.length;
    const answer = executeOn(this.unit, command, this.now);
    this.outcomes.add(`${command.name} ${answer.ok ? 'OK' : answer.error.code}${answer.replayed ? ' replayed' : ''}`);

    const slot = command.key && command.actorId !== null ? pair(command.actorId, command.key.text) : undefined;
    const first = slot === undefined ? undefined : this.firstAnswers.get(slot);
    if (first) {
      const isSame = first.message === JSON.stringify([command.name, command.request]);
      if (isSame)
        assertEqual('the replayed answer', JSON.parse(JSON.stringify(answer)), { ...first.answer, replayed: true });
      else assertEqual('the code for a reused key', answer.ok || answer.error.code, 'KEY_REUSED');
      this.assertUnchanged(command);
      return;
    }
    assertEqual('replayed', answer.replayed, undefined);
    const rejections = this.market.execute(command, this.now);
    if (rejections.length > 0) this.assertRejected(command, answer, rejections);
    else this.assertExecuted(command, answer);
    if (slot !== undefined) this.assertStored(slot, command, answer);
  }

  private happen(event: Event): void {
    if (event.do === 'staff') this.toggleMember(event.ownerId, event.clerk);
    else {
      const { settleAt, shipWithinMs, needsAddress = false } = event;
      Object.assign(this.rules, { settleAt, shipWithinMs, needsAddress });
    }
  }

  private assertRejected(command: Command, answer: Answer<unknown>, rejections: Rejection[]): void {
    if (answer.ok) throw new Error(`${command.name} must be rejected: ${rejections.map(({ code }) => code)}`);
    const { code, details } = answer.error;
    const withCode = rejections.filter((rejection) => rejection.code === code);
    const isAllowed = withCode.some(
      (rejection) => rejection.details === undefined || isDeepStrictEqual(rejection.details, details),
    );
    if (!isAllowed) assertEqual('the error', answer.error, rejections);
    const isOfStaff = command.name === 'order:place' && code === 'FORBIDDEN' && clerks.includes(command.actorId ?? '');
    if (isOfStaff) assertEqual('why it is refused', answer.error.message, 'You are on the seller’s staff.');
    const hidesBalance = command.acting && code === 'INSUFFICIENT_FUNDS' && command.name.startsWith('order:');
    if (hidesBalance) assertEqual('what a member of staff learns of the balance', details, undefined);
    this.assertUnchanged(command);
  }

  private assertExecuted(command: Command, answer: Answer<unknown>): void {
    if (!answer.ok) throw new Error(`${command.name} must succeed: ${JSON.stringify(answer.error)}`);
    const { unit, market } = this;
    if (command.name === 'order:place') this.placedIds.push(command.newId ?? '');
    if (command.name === 'stock:add') this.recordAddedStock(command.request);
    for (const { userId, balance, held } of unit.wallets.values()) {
      assertEqual(`the balance of ${userId}`, BigInt(balance), market.balance(userId));
      assertEqual(`what is held for ${userId}`, BigInt(held), market.held(userId));
    }
    const stocks = [...unit.booksByNo.values()].map(({ stock }) => stock);
    assertEqual(
      'the stock',
      stocks,
      market.books.map(({ stock }) => stock),
    );
    assertEqual(
      'the stock alerts',
      unit.stockAlerts.map(({ push }) => `${push.storeId}/${push.bookId}`),
      market.alerts,
    );
    this.assertAnswer(command, answer.data, answer.seq);
    this.snapshotBefore = this.snapshot();
  }

  private assertAnswer(command: Command, data: unknown, seq: number | undefined): void {
    const { unit, market } = this;
    if (command.name.startsWith('wallet:')) {
      assertEqual('the answer', data, { balance: Number(market.balance(accountOf(command) ?? '')) });
    }
    if (command.name === 'stock:add') {
      const { storeId, bookId } = command.request;
      const { title, price, stock, lowMark, listed } = unit.books.get(pair(storeId, bookId)) ?? {};
      assertEqual('the answer', data, { storeId, bookId, title, price, stock, lowMark, listed: listed === 1 });
    }
    if (command.name === 'store:change') this.assertStore(command.request, data);
    if (!command.name.startsWith('order:')) {
      assertEqual('seq', seq, undefined);
      return;
    }
    if (command.name === 'order:seen') {
      this.assertSeen(command, data as { orders: Order[] }, seq);
      return;
    }
    const order = data as Order;
    const role = this.assertOrder(command, order);
    if (command.name === 'order:claim') {
      this.assertClaim(order, seq);
      return;
    }
    if (command.name === 'order:timeout') this.outcomes.add(`order:timeout ${order.cancelReason ?? 'received'}`);
    assertEqual('seq', seq, role && unit.rooms.get(pair(role, accountOf(command) ?? ''))?.head);
    const event = unit.dirty.events.at(-1);
    assertEqual('the command of the event', `order:${event?.push.command}`, command.name);
    assertEqual('who acted', event?.push.by, command.actorId ?? 'hub');
    if (order.version === 1) assertEqual('the number', order.number, event?.push.seq);
    this.assertWords(command, order.orderId);
  }

  /** What people wrote comes in rows of its own, with the change that it came with. */
  private assertWords({ name, actorId, request }: Command, orderId: string): void {
    const { dirty } = this.unit;
    const notes = dirty.notes.filter((note) => note.orderId === orderId);
    const isNoted = name === 'order:note' || (name === 'order:place' && request.note !== undefined);
    const { length: before } = this.notes.get(orderId) ?? [];
    assertEqual('the number of notes', notes.length, before + Number(isNoted));
    this.notes.set(orderId, notes);
    const last = this.unit.orders.get(orderId)?.timeline.at(-1);
    assertEqual('the note of the change', last?.changes?.note, isNoted ? notes.length : undefined);
    if (isNoted) {
      const note = { orderId, no: notes.length, userId: actorId, text: 'by the back door', at: this.now };
      assertEqual('the note', notes.at(-1), note);
    }
    const isAddressed = name === 'order:readdress' || (name === 'order:place' && request.deliverTo !== undefined);
    if (isAddressed) this.addressed.add(orderId);
    const address = this.addressed.has(orderId) ? { orderId, deliverTo: JSON.stringify(deliverTo) } : undefined;
    assertEqual('the address', dirty.addresses.get(orderId), address);
  }

  /** Each order once, and an event in both rooms for each that was not seen before. */
  private assertSeen(command: Command<'order:seen'>, { orders }: { orders: Order[] }, seq: number | undefined): void {
    const { unit, eventsBefore, now } = this;
    const { orderIds } = command.request;
    assertEqual(
      'the orders that were seen',
      orders.map(({ orderId }) => orderId),
      [...new Set(orderIds)],
    );
    for (const order of orders) this.assertOrder(command, order);
    const events = unit.dirty.events.slice(eventsBefore);
    for (const { push } of events) {
      const { seenAt } = orders.find(({ orderId }) => orderId === push.orderId) ?? {};
      assertEqual('what was seen', [push.command, push.by, push.at], ['seen', command.actorId, seenAt]);
      assertEqual('when it was seen', seenAt, new Date(now).toISOString());
    }
    const head = unit.rooms.get(pair('seller', accountOf(command) ?? ''))?.head;
    assertEqual('seq', seq, events.length > 0 ? head : undefined);
  }

  /** A claim adds no event and no version: the push to the seller's room and the row must agree. */
  private assertClaim({ orderId, claim }: Order, seq: number | undefined): void {
    const { unit, eventsBefore } = this;
    const { sellerId: ownerId, claims } = unit.orders.get(orderId) ?? {};
    assertEqual('seq', [seq, unit.dirty.events.length], [undefined, eventsBefore]);
    const told = unit.claims.splice(0);
    // Releasing an unclaimed order pushes nothing.
    if (claim === null && told.length === 0) return;
    const version = (this.claimCounts.get(orderId) ?? 0) + 1;
    this.claimCounts.set(orderId, version);
    const push = { orderId, by: claim?.by ?? null, until: claim?.until ?? null };
    assertEqual('what the shop is told', told, [{ ownerId, version, push }]);
    assertEqual('how often it was claimed or freed', claims, version);
  }

  /** The order as the model has it, and its role for who gave the command. */
  private assertOrder(command: Command, order: Order): 'buyer' | 'seller' | undefined {
    const { unit, market, now } = this;
    const model = market.order(order.orderId);
    if (!model) throw new Error(`${command.name} answers with an unknown order`);
    const role = market.roleOf(model, command);
    const { status, version, total, expiresAt } = model;
    assertEqual(
      'the order in the answer',
      [order.status, order.version, order.total],
      [status, version, Number(total)],
    );
    assertEqual(
      'expiresAt and dueAt',
      [Date.parse(order.expiresAt), unit.orders.get(order.orderId)?.dueAt],
      [expiresAt, model.dueAt],
    );
    assertEqual('the lines', linesOf(order), {
      lines: model.lines.map((line) => ({
        ...{ bookId: line.book.bookId, count: line.count, left: line.left + line.leftPaidBack },
        shipped: line.shipped + line.shippedPaidBack,
        cancelled: line.cancelled + line.cancelledPaidBack,
        refunded: line.leftPaidBack + line.shippedPaidBack + line.cancelledPaidBack,
      })),
      parcels: model.parcels.map(({ isReceived, dueAt: _, ...parcel }, index) => ({
        ...{ parcel: index + 1, ...parcel, isReceived },
      })),
      refunded: Number(model.refunded),
    });
    assertEqual(
      'what was last said of the order',
      [order.carrier, order.trackingNo, order.cancelReason],
      [model.carrier, model.trackingNo, model.cancelReason],
    );
    assertEqual('shipBy', order.shipBy && Date.parse(order.shipBy), model.shipBy);
    const times = [model.acceptBy, model.acceptedAt].map((time) =>
      time === null ? null : new Date(time).toISOString(),
    );
    assertEqual('the acceptance', [order.acceptBy, order.acceptedAt, order.readyAt], [...times, model.readyAt]);
    const claim = role === 'seller' ? market.claimOf(model, now) : null;
    assertEqual('seenAt and claim', [order.seenAt && Date.parse(order.seenAt), order.claim], [model.seenAt, claim]);
    if (role) assertEqual('allowed', order.allowed, market.allowed(model, role, now));
    this.answered.push({ order, role: role ?? 'hub', at: now });
    return role;
  }

  private assertStore({ storeId, open, pausedUntil }: Command<'store:change'>['request'], data: unknown): void {
    const { unit, market, now } = this;
    const model = market.stores.get(storeId);
    if (!model) throw new Error('An unknown store was changed');
    const status = { open: model.isOpen, pausedUntil: market.pauseOf(model, now) };
    const { name, ownerId, acceptWithinSeconds } = model;
    const { createdAt, ...view } = data as StoreView;
    assertEqual('the store', view, { storeId, name, ownerId, acceptWithinSeconds, ...status });
    const isTold = open !== undefined || pausedUntil !== undefined;
    const told = unit.storeStatuses.splice(0);
    const version = unit.changedStores.get(storeId)?.version;
    const push = { storeId, ...status, at: new Date(now).toISOString() };
    assertEqual('what its owner is told', told, isTold ? [{ ownerId, version, push }] : []);
    assertEqual('the store to save', unit.dirty.stores.get(storeId)?.version, version);
  }

  private recordAddedStock({ storeId, bookId, add }: { storeId: string; bookId: string; add: number }): void {
    const bookNo = this.unit.books.get(pair(storeId, bookId))?.bookNo ?? 0;
    this.addedStock.set(bookNo, (this.addedStock.get(bookNo) ?? 0) + add);
  }

  /** Successes and business rejections are stored under the key; invalid messages and unauthenticated ones are not. */
  private assertStored(slot: string, command: Command, answer: Answer<unknown>): void {
    const isStored = answer.ok || !['BAD_MESSAGE', 'UNAUTHENTICATED'].includes(answer.error.code);
    assertEqual('whether the answer is stored', this.unit.answers.has(slot), isStored);
    const message = JSON.stringify([command.name, command.request]);
    if (isStored) this.firstAnswers.set(slot, { message, answer: JSON.parse(JSON.stringify(answer)) });
  }

  private assertUnchanged(command: Command): void {
    const after = this.snapshot();
    if (after !== this.snapshotBefore) {
      throw new Error(`${command.name} changed the state:\n${this.snapshotBefore}\n${after}`);
    }
  }

  /** Everything that a command could change, except the stored answers. */
  private snapshot(): string {
    const { orders, booksByNo, wallets, rooms, changedStores, dirty, stockAlerts, claims } = this.unit;
    const counts = [
      dirty.claims.size,
      claims.length,
      dirty.orders.size,
      dirty.stores.size,
      dirty.stock.size,
      dirty.wallets.size,
      dirty.rooms.size,
      dirty.notes.length,
    ];
    return JSON.stringify([
      ...[orders, booksByNo, wallets, rooms, changedStores].map((rows) => [...rows.values()]),
      [...counts, dirty.entries.length, dirty.events.length, stockAlerts.length],
    ]);
  }

  private commandOf(action: Exclude<Action, Event>, key: string | undefined): Command | undefined {
    if (action.do === 'again') {
      const keyed = this.executed.filter((command) => command.key !== undefined);
      return keyed.at(-1 - (action.earlier % Math.max(1, keyed.length)));
    }
    const command = this.unkeyed(action);
    const isForUnknownOrder = 'orderId' in command.request && command.request.orderId === NO_ORDER;
    if (isForUnknownOrder && 'order' in action && action.order >= 0) return undefined;
    if (key === undefined || command.actorId === null || command.actorId === UNREGISTERED) return command;
    return { ...command, key: { text: key, messageHash: messageHash(command.name, command.request) } };
  }

  private unkeyed(action: Exclude<Action, Event | { do: 'again' }>): Command {
    if (action.do === 'next') return this.unkeyed(this.nextTransition(action.order));
    switch (action.do) {
      case 'place': {
        const { by, storeId, items, totalError, words } = action;
        const orderId = `order-${this.executed.length}`;
        const prices = items.map(
          ({ bookId, count }) => (this.unit.books.get(pair(storeId, bookId))?.price ?? 0) * count,
        );
        const total = prices.reduce((sum, price) => sum + price, 0);
        return {
          name: 'order:place',
          actorId: by,
          newId: orderId,
          request: {
            ...{ storeId, items, ...this.expectedTotal(total, totalError) },
            ...(words === 'address' || words === 'both' ? { deliverTo } : {}),
            ...(words === 'note' || words === 'both' ? { note: 'by the back door' } : {}),
          },
        };
      }
      case 'due':
        return { name: 'order:timeout', actorId: null, request: { orderId: this.orderIdOf(action.order) } };
      case 'deposit':
      case 'withdraw': {
        const by = this.callerOf(action.by, this.orderIdOf(0));
        const balance = Number(this.market.balance(accountOf(by) ?? '')) || 1;
        const amount = action.amount === WHOLE_BALANCE ? balance : action.amount;
        return { name: `wallet:${action.do}`, ...by, request: { amount } };
      }
      case 'add': {
        const { by, storeId, bookId, add } = action;
        const ownerId = this.market.stores.get(storeId)?.ownerId;
        return { name: 'stock:add', ...this.callerFor(by, ownerId), request: { storeId, bookId, add } };
      }
      case 'say': {
        const { storeId, saying } = action;
        const { pauseMs, ...others } = saying;
        const until = pauseMs && new Date(this.now + pauseMs).toISOString();
        const ownerId = this.market.stores.get(storeId)?.ownerId ?? 'ann';
        const by = action.by === 'owner' ? { actorId: ownerId } : this.callerFor(action.by, ownerId);
        const request = { storeId, ...others, ...(pauseMs === undefined ? {} : { pausedUntil: until || null }) };
        return { name: 'store:change', ...by, request };
      }
      case 'cancel': {
        const { text, unavailable } = action;
        const reason = { ...(text === undefined ? {} : { reason: text }), ...(unavailable ? { unavailable } : {}) };
        const items = this.itemsOf(action.order, action.part);
        return { name: 'order:cancel', ...this.orderRequest(action.order, action.by, { ...items, ...reason }) };
      }
      case 'ship': {
        const parcel = action.text === undefined ? {} : { carrier: 'SF', trackingNo: action.text };
        const items = this.itemsOf(action.order, action.part);
        return { name: 'order:ship', ...this.orderRequest(action.order, action.by, { ...items, ...parcel }) };
      }
      case 'receive': {
        const parcel = action.parcel === undefined ? {} : { parcel: action.parcel };
        return { name: 'order:receive', ...this.orderRequest(action.order, action.by, parcel) };
      }
      case 'refund': {
        const { order, by, part, amount = 1, restock } = action;
        const model = this.market.order(this.orderIdOf(order));
        const left = Number(model ? model.total - model.refunded : 1n) || 1;
        const money = { amount: amount === WHOLE_BALANCE ? left : amount };
        const what =
          part === undefined ? money : { ...this.itemsOf(order, part), ...(restock === undefined ? {} : { restock }) };
        return { name: 'order:refund', ...this.orderRequest(order, by, what) };
      }
      case 'track': {
        const { order, by, parcel, text } = action;
        const what = text === undefined ? { carrier: 'Owl' } : { trackingNo: text };
        const request = { ...(parcel === undefined ? {} : { parcel }), ...what };
        return { name: 'order:track', ...this.orderRequest(order, by, request) };
      }
      case 'accept': {
        const { readyMs } = action;
        const fields = readyMs === undefined ? {} : { readyAt: new Date(this.now + readyMs).toISOString() };
        return { name: 'order:accept', ...this.orderRequest(action.order, action.by, fields) };
      }
      case 'seen': {
        const orderIds = action.orders.map((each) => this.orderIdOf(each));
        return { name: 'order:seen', ...this.callerOf(action.by, orderIds[0] ?? NO_ORDER), request: { orderIds } };
      }
      case 'claim': {
        const { order, by, seconds } = action;
        return { name: 'order:claim', ...this.orderRequest(order, by, { seconds }) };
      }
      case 'note':
        return { name: 'order:note', ...this.orderRequest(action.order, action.by, { text: 'by the back door' }) };
      case 'readdress': {
        return { name: 'order:readdress', ...this.orderRequest(action.order, action.by, { deliverTo }) };
      }
      case 'pay': {
        const total = Number(this.market.order(this.orderIdOf(action.order))?.total ?? 0n);
        return {
          name: 'order:pay',
          ...this.orderRequest(action.order, action.by, this.expectedTotal(total, action.totalError)),
        };
      }
    }
  }

  /** The order's next transition by its proper actor; a cancellation if the order has ended. */
  private nextTransition(order: number): Extract<Action, { by: string; order: number }> {
    const transition = orderTransitions.find(({ from }) => from === this.market.order(this.orderIdOf(order))?.status);
    const verb = transition?.verb ?? 'cancel';
    return { do: verb as 'cancel', by: transition?.by[0] ?? 'buyer', order };
  }

  private itemsOf(order: number, part: Part | undefined): { items?: { bookId: string; count: number }[] } {
    const lines = this.market.order(this.orderIdOf(order))?.lines ?? [];
    const [first, last] = [lines[0], lines.at(-1)];
    if (part === undefined || !first || !last) return {};
    const of = ({ book: { bookId } }: typeof first, count: number) => ({ bookId, count });
    const items = {
      one: [of(first, 1)],
      each: lines.map((line) => of(line, 1)),
      last: [of(last, last.count)],
      'too many': [of(first, first.count + 1)],
      unknown: [{ bookId: 'no-such-book', count: 1 }],
    };
    return { items: items[part] };
  }

  private orderRequest<Rest extends object>(order: number, by: string, rest: Rest) {
    const orderId = this.orderIdOf(order);
    return { ...this.callerOf(by, orderId), request: { orderId, ...rest } };
  }

  private callerOf(by: string, orderId: string): Pick<Command, 'actorId' | 'acting'> {
    return this.callerFor(this.actorOf(by, orderId), this.market.order(orderId)?.sellerId, by);
  }

  /** A clerk acts for this seller, or for one of whose staff it never was: by no membership that there is. */
  private callerFor(actorId: string, ownerId = 'ann', by = actorId): Pick<Command, 'actorId' | 'acting'> {
    if (!clerks.includes(by)) return { actorId };
    const known = this.memberships.get(pair(ownerId, by)) ?? [];
    const membershipId = (by === 'fay' ? known[0] : known.at(-1)) ?? 'none';
    return { actorId, acting: { ownerId, membershipId } };
  }

  private actorOf(by: string, orderId: string): string {
    const model = this.market.order(orderId);
    const parties: Record<string, string | undefined> = { buyer: model?.buyerId, seller: model?.sellerId };
    return by in parties ? (parties[by] ?? 'cat') : by;
  }

  private expectedTotal(total: number, error: number | undefined): { expectedTotal?: number } {
    return error === undefined ? {} : { expectedTotal: Math.max(0, total + error) };
  }

  private orderIdOf(order: number): string {
    const count = this.placedIds.length;
    return (order < 0 ? undefined : this.placedIds.at(-1 - (order % Math.max(1, count)))) ?? NO_ORDER;
  }

  /** Asserts the invariants of every history. */
  assertInvariants(): void {
    this.assertMoneyConserved();
    this.assertStockConserved();
    this.assertTransitions();
    this.assertTimelines();
    this.assertRooms();
    this.assertChangesSaved();
  }

  private assertMoneyConserved(): void {
    const { wallets, dirty, orders } = this.unit;
    let balances = 0n;
    let helds = 0n;
    let netDeposits = 0n;
    for (const { userId, balance, held, entries } of wallets.values()) {
      const isWithinLimits = balance >= 0 && held >= 0 && BigInt(balance) + BigInt(held) <= BigInt(BALANCE_MAX);
      assertEqual('whether a wallet is within its limits', isWithinLimits, true);
      balances += BigInt(balance);
      helds += BigInt(held);
      const ledger = dirty.entries.filter((entry) => entry.userId === userId);
      assertEqual(
        'the entry numbers of a ledger',
        ledger.map(({ entryNo }) => entryNo),
        Array.from({ length: entries }, (_, index) => index + 1),
      );
      let sum = 0n;
      for (const entry of ledger) {
        sum += BigInt(entry.amount);
        assertEqual('the balance after an entry', BigInt(entry.balance), sum);
        if (entry.kind === 'deposit' || entry.kind === 'withdrawal') netDeposits += BigInt(entry.amount);
      }
      assertEqual(`the balance of ${userId}`, BigInt(balance), sum);
    }
    assertEqual('the sum of all balances and of what is held', balances + helds, netDeposits);

    for (const order of orders.values()) {
      const entries = dirty.entries.filter((entry) => entry.orderId === order.orderId);
      const refunds = entries.filter(({ kind }) => kind === 'refund').map(({ amount }) => amount);
      assertEqual(
        'the ledger entries of an order',
        entries.map(({ userId, kind, amount }) => `${userId} ${kind} ${amount}`),
        ledgerOf(order, refunds),
      );
      const refunded = refunds.reduce((sum, amount) => sum + amount, 0);
      assertEqual('what an order has given back', this.shown(order).refunded, refunded);
      assertEqual('whether that is at most its total', refunded <= order.total, true);
    }
    for (const { userId, held } of wallets.values()) {
      const onTheirWay = [...orders.values()].filter(
        ({ sellerId, settleAt, status }) =>
          sellerId === userId && settleAt === 'received' && (status === 'paid' || status === 'shipped'),
      );
      assertEqual(
        `what is held for ${userId}`,
        BigInt(held),
        onTheirWay.reduce((sum, order) => sum + BigInt(order.total - this.shown(order).refunded), 0n),
      );
    }
  }

  private assertStockConserved(): void {
    const inOrders = new Map<number, number>();
    for (const order of this.unit.orders.values()) {
      const { lines = [] } = this.market.order(order.orderId) ?? {};
      this.shown(order).items.forEach(({ count, cancelled }, index) => {
        const bookNo = order.items[index]?.bookNo ?? 0;
        const held = count - cancelled - (lines[index]?.putBack ?? 0);
        inOrders.set(bookNo, (inOrders.get(bookNo) ?? 0) + held);
      });
      for (const { bookNo, copies } of order.timeline.flatMap(({ changes }) => changes?.withdrawn ?? [])) {
        inOrders.set(bookNo, (inOrders.get(bookNo) ?? 0) + copies);
      }
    }
    initialBooks.forEach((book, index) => {
      const bookNo = index + 1;
      const stock = this.unit.booksByNo.get(bookNo)?.stock ?? -1;
      assertEqual('whether stock is at least zero', stock >= 0, true);
      assertEqual(
        'the copies in stock, in orders, and withdrawn',
        stock + (inOrders.get(bookNo) ?? 0),
        book.stock + (this.addedStock.get(bookNo) ?? 0),
      );
    });
  }

  private shown(order: OrderRow): Order {
    return presentOrder(order, 'buyer', this.now);
  }

  /** The timeline alone tells the order at each of its versions, as it was answered then; and last, as its row has it. */
  private assertTimelines(): void {
    for (const order of this.unit.orders.values()) {
      const { timeline } = order;
      const stored = { ...order, items: JSON.stringify(order.items), timeline: encodeTimeline(timeline) };
      assertEqual('the order as stored', parseOrder(stored), order);
      // Earlier releases stored neither commands nor changes, and had the default terms only.
      const bare = JSON.stringify(timeline.map(({ command, changes, ...entry }) => entry));
      const isOld = ({ lines, withdrawn, note }: OrderChanges) =>
        lines === undefined && withdrawn === undefined && note === undefined;
      const isPlain = timeline.every((entry) => !isAmendment(entry) && isOld(entry.changes ?? {}));
      if (order.settleAt === 'paid' && isPlain)
        assertEqual('the order as an earlier release stored it', parseOrder({ ...stored, timeline: bare }), order);
      assertEqual('the fold of the timeline', orderAt(order, order.version), order);
      const written = JSON.parse(stored.timeline) as object[];
      assertEqual(
        'the entries that name their command, because it does not follow',
        written.flatMap((entry, index) => ('command' in entry ? [index] : [])),
        timeline.flatMap(({ by, status, command }, index) =>
          by === 'hub' || usualCommands[status] === command ? [] : [index],
        ),
      );
    }
    for (const { order, role, at } of this.answered) {
      const row = this.unit.orders.get(order.orderId);
      const claim = { claimedBy: order.claim?.by ?? null, claimedUntil: order.claim && Date.parse(order.claim.until) };
      const words = { carrier: 'another', trackingNo: 'another', cancelReason: 'another' };
      const later = row && { ...row, ...words, ...claim, paidAt: 1 };
      assertEqual('the order as answered', later && presentOrder(orderAt(later, order.version), role, at), order);
    }
  }

  private assertTransitions(): void {
    for (const { orderId, buyerId, sellerId, status, version, timeline, ...terms } of this.unit.orders.values()) {
      const hasDeadline = terms.shipWithinMs > 0 || terms.acceptWithinMs > 0;
      const timeouts = ['placed cancelled', ...moves.receive, ...(hasDeadline ? moves.cancel : [])];
      assertEqual(
        'the versions of an order',
        timeline.map((entry) => entry.version),
        Array.from({ length: version }, (_, index) => index + 1),
      );
      assertEqual('the first timeline entry', [timeline[0]?.status, timeline[0]?.by], ['placed', buyerId]);
      assertEqual('the last timeline entry', timeline.at(-1)?.status, status);
      timeline.slice(1).forEach((entry, index) => {
        const from = timeline[index]?.status;
        // Who has bought from the seller may be hired later.
        const isOfShop = entry.by === sellerId || this.memberships.has(pair(sellerId, entry.by));
        const sides = [...(entry.by === buyerId ? ['buyer'] : []), ...(isOfShop ? ['seller'] : [])];
        if (isAmendment(entry)) {
          assertEqual('whether one of the parties amended the order', sides.length > 0, true);
          assertEqual('the status after an amendment', entry.status, from);
          return;
        }
        const move = `${from} ${entry.status}`;
        const isTimeout = entry.by === 'hub' && timeouts.includes(move);
        const command = entry.command as keyof typeof moves;
        const isSender = sides.some((side) => senders[command]?.includes(side));
        if (!isTimeout && !(isSender && moves[command].includes(move))) {
          assertEqual(`a transition from ${from}`, entry, 'one of the contract');
        }
        assertEqual('whether times are in order', entry.at >= (timeline[index]?.at ?? entry.at), true);
      });
      const seen = timeline.filter(({ command }) => command === 'seen');
      assertEqual('whether an order is seen once', seen.length <= 1, true);
      const seers = seen.filter(({ by }) => by !== sellerId && !this.memberships.has(pair(sellerId, by)));
      assertEqual('who has seen it besides its seller’s side', seers, []);
      const events = this.unit.dirty.events.filter(({ push }) => push.orderId === orderId);
      assertEqual(
        'the events of an order',
        events.map(({ role, userId, push }) => [role, userId, push.version, push.previous, push.status]),
        timeline.flatMap((entry, index) => [
          ['buyer', buyerId, entry.version, timeline[index - 1]?.status ?? null, entry.status],
          ['seller', sellerId, entry.version, timeline[index - 1]?.status ?? null, entry.status],
        ]),
      );
    }
  }

  private assertRooms(): void {
    for (const { role, userId, head, ...counts } of this.unit.rooms.values()) {
      const events = this.unit.dirty.events.filter((event) => event.role === role && event.userId === userId);
      assertEqual(
        'the event numbers of a room',
        events.map(({ push }) => push.seq),
        Array.from({ length: head }, (_, index) => index + 1),
      );
      assertEqual(
        'whether all events name their room’s role',
        events.every(({ push }) => push.role === role),
        true,
      );
      const orders = [...this.unit.orders.values()].filter((order) => memberOf(order, role) === userId);
      const counted = orderStatuses.map((status) => [status, orders.filter((order) => order.status === status).length]);
      assertEqual('the orders of a room by status', counts, Object.fromEntries(counted));
    }
  }

  private assertChangesSaved(): void {
    const { orders, booksByNo, wallets, rooms, answers, dirty } = this.unit;
    // Claims are written in columns of their own, with a statement of their own.
    const saved = [...dirty.orders.values()].map((order) => {
      const { claimedBy, claimedUntil, claims } = dirty.claims.get(order.orderId) ?? order;
      return { ...order, claimedBy, claimedUntil, claims };
    });
    assertEqual('the orders to save', saved, [...orders.values()]);
    const changedBooks = [...booksByNo.values()].filter((book) => book.stock !== initialBooks[book.bookNo - 1]?.stock);
    assertEqual(
      'the changed stock that is not saved',
      changedBooks.filter((book) => !dirty.stock.has(book)),
      [],
    );
    assertEqual(
      'the wallets that are wrongly saved or not saved',
      [...wallets.values()].filter((wallet) => wallet.version > 1 !== dirty.wallets.has(wallet)),
      [],
    );
    assertEqual(
      'the rooms that are wrongly saved or not saved',
      [...rooms.values()].filter((room) => room.head > 0 !== dirty.rooms.has(room)),
      [],
    );
    const rows = dirty.answers.map(({ row }) => row);
    assertEqual('the answers to save', rows, [...answers.values()]);
    const stored = dirty.answers.map(({ row, text }) => storedAnswer(this.unit, row.userId, text));
    assertEqual(
      'the answers as stored',
      stored,
      rows.map((row) => ('answer' in row.stored ? row.stored.answer : undefined)),
    );
  }
}

/** What an order must have in the ledger by now, oldest first, with these refunds. */
function ledgerOf({ buyerId, sellerId, total, timeline, settleAt }: OrderRow, refunds: number[]): string[] {
  const isHeld = settleAt === 'received';
  const amounts = [...refunds];
  let left = total;
  let isSold = !isHeld;
  return timeline.flatMap(({ command, status, changes }, index): string[] => {
    const previous = timeline[index - 1]?.status;
    const entries: string[] = [];
    if (command === 'pay')
      entries.push(`${buyerId} payment ${-total}`, ...(isHeld ? [] : [`${sellerId} sale ${total}`]));
    if (command === 'refund' || (changes?.cancelReason !== undefined && previous === 'paid')) {
      const amount = amounts.shift() ?? Number.NaN;
      left -= amount;
      entries.push(...(isSold ? [`${sellerId} refunded ${-amount}`] : []), `${buyerId} refund ${amount}`);
    }
    if (isHeld && status === 'received' && previous !== 'received') {
      entries.push(`${sellerId} sale ${left}`);
      isSold = true;
    }
    return entries;
  });
}

describe('the rules of stock, money and orders', () => {
  test(
    'hold in every history: money and stock are conserved and never negative, and a rejection changes nothing',
    () => {
      const outcomes = new Set<string>();
      fc.assert(
        fc.property(history, ({ autoReceiveMs, terms, steps }) => {
          const run = new HistoryRun(autoReceiveMs, terms, outcomes);
          for (const step of steps) run.execute(step);
          run.assertInvariants();
        }),
        { numRuns: HISTORIES, endOnFailure: REDUCED_HISTORIES !== undefined },
      );
      if (REDUCED_HISTORIES !== undefined) return;
      // Histories that never reach an outcome would prove nothing about it.
      const expected: Record<string, string> = {
        'order:place':
          'OK|UNAUTHENTICATED|STORE_NOT_FOUND|USER_NOT_FOUND|FORBIDDEN|STORE_PAUSED|BOOK_NOT_FOUND|OUT_OF_STOCK|PRICE_CHANGED|BAD_MESSAGE|KEY_REUSED|OK replayed|OUT_OF_STOCK replayed',
        'order:pay':
          'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|ORDER_STATE|PRICE_CHANGED|INSUFFICIENT_FUNDS|BAD_MESSAGE|KEY_REUSED|OK replayed|INSUFFICIENT_FUNDS replayed',
        'order:ship':
          'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|ORDER_STATE|BOOK_NOT_FOUND|CLAIMED|KEY_REUSED|OK replayed|ORDER_STATE replayed|CLAIMED replayed',
        'order:receive': 'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|ORDER_STATE|KEY_REUSED|OK replayed',
        'order:cancel':
          'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|ORDER_STATE|BOOK_NOT_FOUND|INSUFFICIENT_FUNDS|CLAIMED|BAD_MESSAGE|KEY_REUSED|OK replayed|ORDER_STATE replayed',
        'order:refund':
          'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|ORDER_STATE|BOOK_NOT_FOUND|INSUFFICIENT_FUNDS|CLAIMED|BAD_MESSAGE|KEY_REUSED|OK replayed',
        'order:track': 'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|ORDER_STATE|BAD_MESSAGE|KEY_REUSED|OK replayed',
        'order:timeout': 'OK|ORDER_NOT_FOUND|ORDER_STATE|received|expired|not shipped|not accepted',
        'wallet:deposit': 'OK|UNAUTHENTICATED|BAD_MESSAGE|KEY_REUSED|OK replayed',
        'wallet:withdraw': 'OK|UNAUTHENTICATED|INSUFFICIENT_FUNDS|KEY_REUSED|OK replayed',
        'order:seen': 'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|KEY_REUSED|OK replayed',
        'order:claim': 'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|CLAIMED|KEY_REUSED|OK replayed|CLAIMED replayed',
        'order:accept':
          'OK|UNAUTHENTICATED|ORDER_NOT_FOUND|FORBIDDEN|ORDER_STATE|CLAIMED|KEY_REUSED|OK replayed|ORDER_STATE replayed',
        'store:change': 'OK|UNAUTHENTICATED|STORE_NOT_FOUND|FORBIDDEN|BAD_MESSAGE',
        'stock:add':
          'OK|UNAUTHENTICATED|STORE_NOT_FOUND|FORBIDDEN|BOOK_NOT_FOUND|OUT_OF_STOCK|BAD_MESSAGE|KEY_REUSED|OK replayed',
      };
      const expectedOutcomes = Object.entries(expected).flatMap(([name, codes]) =>
        codes.split('|').map((code) => `${name} ${code}`),
      );
      expect(expectedOutcomes.filter((outcome) => !outcomes.has(outcome))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
