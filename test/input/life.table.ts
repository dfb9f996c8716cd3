import type { RefusalCode } from '../../src/contract/errors.js';
import { BALANCE_MAX } from '../../src/contract/fields.js';
import { lifecycle, mayEver, orderStatuses, stepOf } from '../../src/contract/lifecycle.js';
import { DEAR_PRICE, SHORT_STOCK, type Stage, TOTAL } from './stage.js';

/** A message of the right shape that the shop must refuse: somebody else's, too early, too late, too much. */
export interface Untimely {
  says: string;
  by: 'buyer' | 'seller' | 'stranger' | 'poor';
  message: Record<string, unknown>;
  code: RefusalCode;
}

/** What the shop refuses, by the last word of a message or of a route. A row that is not here has no such story. */
export function untimelyFor(command: string, stage: Stage): Untimely[] {
  if (command === 'place') return placing(stage);
  if (!lifecycle.some((step) => step.command === command)) return [];
  return [
    ...wrongPartyOrTime(command as 'pay', stage),
    ...wrongOrder(stage),
    ...(command === 'pay' ? paying(stage) : []),
  ];
}

/** Every command, given by every party, in every status: refused wherever the table of an order's life has no step. */
function wrongPartyOrTime(command: 'pay' | 'ship' | 'receive' | 'cancel', { scene }: Stage): Untimely[] {
  return orderStatuses.flatMap((status) =>
    (['buyer', 'seller', 'stranger'] as const).flatMap((by): Untimely[] => {
      const message = { orderId: scene.orders[status] };
      const says = `by the ${by} of an order that is ${status}`;
      if (by === 'stranger' || !mayEver(command, by)) return [{ says, by, message, code: 'FORBIDDEN' }];
      return stepOf(command, status)?.by.includes(by) ? [] : [{ says, by, message, code: 'ORDER_STATE' }];
    }),
  );
}

function wrongOrder({ scene }: Stage): Untimely[] {
  const { placed } = scene.orders;
  const near = [
    placed.toUpperCase(),
    `${placed} `,
    ` ${placed}`,
    `${placed}\u0000`,
    placed.replaceAll('-', ''),
    placed.slice(0, -1),
  ];
  const next = placed.slice(0, -1) + ((Number.parseInt(placed.slice(-1), 16) + 1) % 16).toString(16);
  const other = [scene.stores.own, scene.people.buyer.userId, 'book-1', next];
  return [...near, ...other].map((orderId) => ({
    says: `the order ${JSON.stringify(orderId)}`,
    by: 'buyer',
    message: { orderId },
    code: 'ORDER_NOT_FOUND',
  }));
}

function paying({ scene }: Stage): Untimely[] {
  const orderId = scene.orders.placed;
  const expecting = (expectedTotal: number): Untimely => ({
    says: `at a total of ${expectedTotal}`,
    by: 'buyer',
    message: { orderId, expectedTotal },
    code: 'PRICE_CHANGED',
  });
  return [
    ...[0, 1, TOTAL - 1, TOTAL + 1, BALANCE_MAX].map(expecting),
    {
      says: 'with a coin too few',
      by: 'poor',
      message: { orderId: scene.orders.unaffordable },
      code: 'INSUFFICIENT_FUNDS',
    },
  ];
}

function placing({ scene: { stores } }: Stage): Untimely[] {
  const items = (...books: [bookId: string, count: number][]) => books.map(([bookId, count]) => ({ bookId, count }));
  const order = (says: string, code: RefusalCode, message: object, by: Untimely['by'] = 'buyer'): Untimely => ({
    says,
    by,
    message: { storeId: stores.own, items: items(['book-1', 1]), ...message },
    code,
  });
  const many = Array.from({ length: 99 }, (_, index): [string, number] => [`no-book-${index}`, 1]);
  return [
    order('in a store that there is not', 'STORE_NOT_FOUND', { storeId: 'nowhere' }),
    order('in the store, in capitals', 'STORE_NOT_FOUND', { storeId: stores.own.toUpperCase() }),
    order('in the store, with an accent', 'STORE_NOT_FOUND', { storeId: stores.own.replace('e', 'é') }),
    order('in a store whose owner has left', 'USER_NOT_FOUND', { storeId: stores.gone }),
    order("in one's own store", 'FORBIDDEN', {}, 'seller'),
    order('a book of another store', 'BOOK_NOT_FOUND', { items: items(['other-book', 1]) }),
    order('a book in capitals', 'BOOK_NOT_FOUND', { items: items(['BOOK-1', 1]) }),
    order('a book twice, once in capitals', 'BOOK_NOT_FOUND', { items: items(['book-1', 1], ['Book-1', 1]) }),
    order('a book in letters of full width', 'BOOK_NOT_FOUND', { items: items(['ｂｏｏｋ-1', 1]) }),
    order('a book and 99 that there are not', 'BOOK_NOT_FOUND', { items: items(['book-1', 1], ...many) }),
    order('a book twice', 'BAD_MESSAGE', { items: items(['book-1', 1], ['book-1', 1]) }),
    order('a book that is sold out', 'OUT_OF_STOCK', { items: items(['book-3', 1]) }),
    order('a copy more than there are', 'OUT_OF_STOCK', { items: items(['book-2', SHORT_STOCK + 1]) }),
    order('more than there will ever be', 'OUT_OF_STOCK', { items: items(['book-1', 1_000_000]) }),
    order('two books, of which the second is short', 'OUT_OF_STOCK', {
      items: items(['book-1', 1], ['book-2', SHORT_STOCK + 1]),
    }),
    order('two books, of which the first is short', 'OUT_OF_STOCK', {
      items: items(['book-2', SHORT_STOCK + 1], ['book-1', 1]),
    }),
    order('for more than a number holds', 'BAD_MESSAGE', {
      items: items(['book-4', Math.ceil(BALANCE_MAX / DEAR_PRICE)]),
    }),
    ...[0, 1, 999, 1_001, BALANCE_MAX].map((expectedTotal) =>
      order(`at a total of ${expectedTotal}`, 'PRICE_CHANGED', { expectedTotal }),
    ),
  ];
}
