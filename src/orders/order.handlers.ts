import type { CommandHandlers, RowKeys } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import { memberOf, type OrderItem, type OrderRow } from '../commands/rows.js';
import type { Change, EventNumbers, UnitOfWork } from '../commands/unit.of.work.js';
import type { Order } from '../contract/orders.js';
import { HUB, roles } from '../contract/transitions.js';
import type { CommandMessageName, Request } from '../contract/wire.js';
import { accept } from './acceptance.rules.js';
import * as amendRules from './amend.rules.js';
import { newOrderId } from './order.id.js';
import { isOrderId, presentOrder } from './order.presenter.js';
import { orderReplay } from './order.replay.js';
import * as rules from './order.rules.js';
import { isHeld } from './order.settlement.js';
import * as refundRules from './refund.rules.js';

/** Every command that changes an order. */
export const orderHandlers: CommandHandlers<CommandMessageName | 'order:timeout'> = {
  'order:place': {
    startsWork: true,
    lineCount: ({ items }) => items.length,
    newId: newOrderId,
    keys: ({ request: { storeId, items, deliverTo, note }, newId: orderId = '' }) => ({
      books: items.map(({ bookId }) => [storeId, bookId]),
      stores: [storeId],
      ...(deliverTo ? { addresses: [orderId] } : {}),
      ...(note === undefined ? {} : { notes: [orderId] }),
    }),
    relatedKeys(unit, { actorId, request }) {
      const ownerId = unit.stores.get(request.storeId)?.ownerId;
      return actorId === null || ownerId === undefined
        ? {}
        : { rooms: roomsOf({ buyerId: actorId, sellerId: ownerId }) };
    },
    decide: rules.place,
    present: presentChange,
    replay: orderReplay,
  },
  'order:pay': { ...onOrder(walletsOf), decide: rules.pay },
  'order:accept': { ...onOrder(), decide: accept },
  'order:ship': { ...onOrder(), decide: rules.ship },
  'order:receive': { ...onOrder(walletsOfHeld), decide: rules.receive },
  'order:cancel': {
    ...onOrder((order, { items, unavailable = [] }: Request<'order:cancel'>) => ({
      ...walletsOf(order),
      ...booksOf(order, items && [...items, ...unavailable.map((bookId) => ({ bookId }))]),
    })),
    decide: rules.cancel,
  },
  'order:refund': {
    ...onOrder((order, { items, restock }: Request<'order:refund'>) => ({
      ...walletsOf(order),
      users: [order.buyerId],
      ...(restock ? booksOf(order, items) : {}),
    })),
    decide: refundRules.refund,
  },
  'order:track': { ...onOrder(), decide: refundRules.track },
  'order:note': { ...onOrder(({ orderId }) => ({ notes: [orderId] })), decide: amendRules.writeNote },
  'order:readdress': { ...onOrder(({ orderId }) => ({ addresses: [orderId] })), decide: amendRules.readdress },
  'order:timeout': { ...onOrder((order) => ({ ...walletsOfHeld(order), ...booksOf(order) })), decide: rules.timeOut },
};

/** What the commands on one order share. It is locked, and so are the rooms of both parties and what else it names. */
function onOrder<Request extends { orderId: string }>(
  alsoNeeds: (order: OrderRow, request: Request) => RowKeys = () => ({}),
) {
  return {
    keys: ({ request: { orderId } }: { request: Request }): RowKeys =>
      isOrderId(orderId) ? { orders: [orderId] } : {},
    relatedKeys(unit: UnitOfWork, { request }: { request: Request }): RowKeys {
      const order = unit.orders.get(request.orderId);
      return order ? { rooms: roomsOf(order), ...alsoNeeds(order, request) } : {};
    },
    present: presentChange,
    replay: orderReplay,
  };
}

function roomsOf(parties: Pick<OrderRow, 'buyerId' | 'sellerId'>): NonNullable<RowKeys['rooms']> {
  return roles.map((role) => [role, memberOf(parties, role)]);
}

function walletsOf({ buyerId, sellerId }: OrderRow): RowKeys {
  return { wallets: [buyerId, sellerId] };
}

/** Those between which the money of an order moves that is held. */
function walletsOfHeld(order: OrderRow): RowKeys {
  return isHeld(order) ? walletsOf(order) : {};
}

/** The books whose copies come back into stock: all of the order, or those that are named. */
function booksOf({ items }: OrderRow, named?: readonly { bookId: string }[]): RowKeys {
  const isNamed = ({ bookId }: OrderItem) => named?.some((each) => each.bookId === bookId) ?? true;
  return { bookNos: items.filter(isNamed).map(({ bookNo }) => bookNo) };
}

/** The order as the caller reads it, and the number of the caller's own event. */
function presentChange(
  _unit: UnitOfWork,
  { actorId }: Pick<Command, 'actorId'>,
  { change, numbers, now }: { change: Change; numbers: EventNumbers; now: number },
): { data: Order; seq?: number | undefined } {
  if (!change.order) throw new Error('A command on an order has not changed it');
  const { after } = change.order;
  const role = roles.find((each) => memberOf(after, each) === actorId);
  return { data: presentOrder(after, role ?? HUB, now), seq: role && numbers[role] };
}
