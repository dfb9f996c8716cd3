import type { ErrorCode } from '../../src/contract/errors.js';
import { BALANCE_MAX } from '../../src/contract/fields.js';
import {
  amendments,
  type Condition,
  canAmendFrom,
  canRoleAmend,
  canRoleEver,
  type OrderCommand,
  orderStatuses,
  transitionFrom,
  transitions,
} from '../../src/contract/transitions.js';
import { COUNT, DEAR_PRICE, type Fixture, SHORT_STOCK, TOTAL } from './fixture.js';

/** A well-formed command that the business rules must refuse. */
export interface RefusedCommand {
  label: string;
  by: 'buyer' | 'seller' | 'stranger' | 'poor';
  message: Record<string, unknown>;
  code: ErrorCode;
}

/** Commands to refuse, by the last word of a message or route; none for rows that are not listed here. */
export function refusedCommandsFor(command: string, fixture: Fixture): RefusedCommand[] {
  if (command === 'place') return unplaceable(fixture);
  // It is about several orders: test/staff/claims.spec.ts has its refusals.
  if (command === 'seen') return [];
  if (amendments.some((amendment) => amendment.command === command)) {
    const named = command as 'note' | 'readdress';
    const unknown = wrongOrder(fixture).map((each) => ({ ...each, message: { ...each.message, ...wordsFor(named) } }));
    return [...unamendable(named, fixture), ...unknown];
  }
  if (!transitions.some((transition) => transition.command === command)) return [];
  const others = wrongOrder(fixture).map((each) => ({ ...each, message: { ...each.message, ...fieldsFor(command) } }));
  return [
    ...wrongRoleOrStatus(command as 'pay', fixture),
    ...others,
    ...(command === 'pay' ? unpayable(fixture) : []),
    ...(['ship', 'cancel', 'refund'].includes(command) ? unavailable(fixture) : []),
    ...(command === 'refund' ? unrefundable(fixture) : []),
    ...(command === 'receive' || command === 'track' ? noSuchParcel(command, fixture) : []),
  ];
}

/** Every command by every role in every status, unless the table of transitions allows it. */
function wrongRoleOrStatus(command: OrderCommand, { data }: Fixture): RefusedCommand[] {
  return orderStatuses.flatMap((status) =>
    (['buyer', 'seller', 'stranger'] as const).flatMap((by): RefusedCommand[] => {
      const message = { orderId: data.orders[status], ...fieldsFor(command) };
      const label = `by the ${by} of an order that is ${status}`;
      if (by === 'stranger' || !canRoleEver(command, by)) return [{ label, by, message, code: 'FORBIDDEN' }];
      const transition = transitionFrom(command, status);
      // The paid order has no parcel.
      const needsParcel = status === 'paid' && transition?.when?.some((each) => PARCEL_CONDITIONS.includes(each));
      const isAllowed = transition?.by.includes(by) && !needsParcel;
      return isAllowed ? [] : [{ label, by, message, code: 'ORDER_STATE' }];
    }),
  );
}

const PARCEL_CONDITIONS: readonly Condition[] = ['onItsWay', 'trackable'];

/** What these commands require besides the order. */
function fieldsFor(command: string): object {
  if (command === 'refund') return { amount: 1 };
  return command === 'track' ? { trackingNo: 'SF1' } : {};
}

/** Copies that the paid order does not have, for the commands that name some. */
function unavailable({ data }: Fixture): RefusedCommand[] {
  const naming = (label: string, code: ErrorCode, bookId: string, count: number): RefusedCommand => ({
    label,
    by: 'seller',
    message: { orderId: data.orders.paid, items: [{ bookId, count }] },
    code,
  });
  return [
    naming('a book that the order lacks', 'BOOK_NOT_FOUND', 'book-2', 1),
    naming('its book in upper case', 'BOOK_NOT_FOUND', 'BOOK-1', 1),
    naming('one copy more than it has', 'ORDER_STATE', 'book-1', COUNT + 1),
    naming('the maximum count', 'ORDER_STATE', 'book-1', 1_000_000),
    {
      label: 'a book twice',
      by: 'seller',
      message: { orderId: data.orders.paid, items: Array(2).fill({ bookId: 'book-1', count: 1 }) },
      code: 'BAD_MESSAGE',
    },
    { label: 'no copies', by: 'seller', message: { orderId: data.orders.paid, items: [] }, code: 'BAD_MESSAGE' },
  ];
}

function unrefundable({ data }: Fixture): RefusedCommand[] {
  const items = [{ bookId: 'book-1', count: 1 }];
  const refund = (label: string, request: object): RefusedCommand => {
    return { label, by: 'seller', message: { orderId: data.orders.paid, ...request }, code: 'BAD_MESSAGE' };
  };
  return [
    refund('neither copies nor an amount', {}),
    refund('copies and an amount', { items, amount: 1 }),
    refund('one more than the total', { amount: TOTAL + 1 }),
    refund('the maximum amount', { amount: 10 ** 12 }),
    refund('an amount that restocks', { amount: 1, restock: true }),
  ];
}

function noSuchParcel(command: 'receive' | 'track', { data }: Fixture): RefusedCommand[] {
  const by = command === 'receive' ? 'buyer' : 'seller';
  const message = { orderId: data.orders.shipped, ...fieldsFor(command) };
  const refused: RefusedCommand[] = [
    { label: 'a parcel that the order lacks', by, message: { ...message, parcel: 2 }, code: 'ORDER_STATE' },
  ];
  if (command === 'receive') return refused;
  return [
    ...refused,
    { label: 'nothing to change', by, message: { orderId: data.orders.shipped }, code: 'BAD_MESSAGE' },
  ];
}

/** The same for what leaves the status as it is. */
function unamendable(command: 'note' | 'readdress', { data }: Fixture): RefusedCommand[] {
  return orderStatuses.flatMap((status) =>
    (['buyer', 'seller', 'stranger'] as const).flatMap((by): RefusedCommand[] => {
      const message = { orderId: data.orders[status], ...wordsFor(command) };
      const label = `by the ${by} of an order that is ${status}`;
      if (by === 'stranger' || !canRoleAmend(command, by)) return [{ label, by, message, code: 'FORBIDDEN' }];
      return canAmendFrom(command, by, status) ? [] : [{ label, by, message, code: 'ORDER_STATE' }];
    }),
  );
}

function wordsFor(command: 'note' | 'readdress'): object {
  return command === 'note' ? { text: 'a word' } : { deliverTo: { name: 'Ann', lines: ['1 Elm Street'] } };
}

function wrongOrder({ data }: Fixture): RefusedCommand[] {
  const { placed } = data.orders;
  const similar = [
    placed.toUpperCase(),
    `${placed} `,
    ` ${placed}`,
    `${placed}\u0000`,
    placed.replaceAll('-', ''),
    placed.slice(0, -1),
  ];
  const next = placed.slice(0, -1) + ((Number.parseInt(placed.slice(-1), 16) + 1) % 16).toString(16);
  const other = [data.stores.own, data.people.buyer.userId, 'book-1', next];
  return [...similar, ...other].map((orderId) => ({
    label: `the order ${JSON.stringify(orderId)}`,
    by: 'buyer',
    message: { orderId },
    code: 'ORDER_NOT_FOUND',
  }));
}

function unpayable({ data }: Fixture): RefusedCommand[] {
  const orderId = data.orders.placed;
  const expecting = (expectedTotal: number): RefusedCommand => ({
    label: `at a total of ${expectedTotal}`,
    by: 'buyer',
    message: { orderId, expectedTotal },
    code: 'PRICE_CHANGED',
  });
  return [
    ...[0, 1, TOTAL - 1, TOTAL + 1, BALANCE_MAX].map(expecting),
    {
      label: 'with insufficient funds',
      by: 'poor',
      message: { orderId: data.orders.unaffordable },
      code: 'INSUFFICIENT_FUNDS',
    },
  ];
}

function unplaceable({ data: { stores } }: Fixture): RefusedCommand[] {
  const items = (...books: [bookId: string, count: number][]) => books.map(([bookId, count]) => ({ bookId, count }));
  const order = (
    label: string,
    code: ErrorCode,
    message: object,
    by: RefusedCommand['by'] = 'buyer',
  ): RefusedCommand => ({
    label,
    by,
    message: { storeId: stores.own, items: items(['book-1', 1]), ...message },
    code,
  });
  const many = Array.from({ length: 99 }, (_, index): [string, number] => [`no-book-${index}`, 1]);
  return [
    order('in an unknown store', 'STORE_NOT_FOUND', { storeId: 'nowhere' }),
    order('in the store, in upper case', 'STORE_NOT_FOUND', { storeId: stores.own.toUpperCase() }),
    order('in the store, with an accent', 'STORE_NOT_FOUND', { storeId: stores.own.replace('e', 'é') }),
    order('in a store of an unregistered owner', 'USER_NOT_FOUND', { storeId: stores.gone }),
    order("in one's own store", 'FORBIDDEN', {}, 'seller'),
    order('a book of another store', 'BOOK_NOT_FOUND', { items: items(['other-book', 1]) }),
    order('a book in upper case', 'BOOK_NOT_FOUND', { items: items(['BOOK-1', 1]) }),
    order('a book twice, once in upper case', 'BOOK_NOT_FOUND', { items: items(['book-1', 1], ['Book-1', 1]) }),
    order('a book in full-width letters', 'BOOK_NOT_FOUND', { items: items(['ｂｏｏｋ-1', 1]) }),
    order('a book and 99 unknown ones', 'BOOK_NOT_FOUND', { items: items(['book-1', 1], ...many) }),
    order('a book twice', 'BAD_MESSAGE', { items: items(['book-1', 1], ['book-1', 1]) }),
    order('a sold-out book', 'OUT_OF_STOCK', { items: items(['book-3', 1]) }),
    order('one copy more than the stock', 'OUT_OF_STOCK', { items: items(['book-2', SHORT_STOCK + 1]) }),
    order('the maximum count', 'OUT_OF_STOCK', { items: items(['book-1', 1_000_000]) }),
    order('two books, the second out of stock', 'OUT_OF_STOCK', {
      items: items(['book-1', 1], ['book-2', SHORT_STOCK + 1]),
    }),
    order('two books, the first out of stock', 'OUT_OF_STOCK', {
      items: items(['book-2', SHORT_STOCK + 1], ['book-1', 1]),
    }),
    order('for a total above the maximum', 'BAD_MESSAGE', {
      items: items(['book-4', Math.ceil(BALANCE_MAX / DEAR_PRICE)]),
    }),
    ...[0, 1, 999, 1_001, BALANCE_MAX].map((expectedTotal) =>
      order(`at a total of ${expectedTotal}`, 'PRICE_CHANGED', { expectedTotal }),
    ),
  ];
}
