import type { CommandHandlers, RowKeys } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import { memberOf, type OrderItem, type OrderRow } from '../commands/rows.js';
import type { Change, EventNumbers, UnitOfWork } from '../commands/unit.of.work.js';
import type { Order } from '../contract/orders.js';
import { HUB, roles } from '../contract/transitions.js';
import type { CommandMessageName, Request } from '../contract/wire.js';
import { accept } from './acceptance.rules.js';
import * as amendRules from './amend.rules.js';
import * as claimRules from './claim.rules.js';
import { newOrderId } from './order.id.js';
import { actorOf, isOrderId, presentOrder } from './order.presenter.js';
import { orderReplay, ordersReplay } from './order.replay.js';
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
        : { rooms: roomsOf({ buyerId: actorId, sellerId: ownerId }), members: [[ownerId, actorId]] };
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
  'order:seen': {
    // All of them are in its answer, whose size a batch must bound too: a hundred orders are a batch by themselves.
    lineCount: ({ orderIds }) => orderIds.length * 10,
    keys: ({ request: { orderIds } }) => ({ orders: orderIds.filter(isOrderId) }),
    relatedKeys: (unit, { request: { orderIds } }) => ({
      rooms: orderIds.flatMap((orderId) => roomsOfOrder(unit, orderId)),
    }),
    decide: claimRules.see,
    present(unit, command, { numbers, now }) {
      const orders = [...new Set(command.request.orderIds)].map((orderId) => presentTo(unit, command, orderId, now));
      return { data: { orders }, seq: numbers.seller };
    },
    replay: ordersReplay,
  },
  'order:claim': {
    keys: onOrder().keys,
    decide: claimRules.claim,
    present: (unit, command, { now }) => ({ data: presentTo(unit, command, command.request.orderId, now) }),
    replay: orderReplay,
  },
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
  { actorId, acting }: Pick<Command, 'actorId' | 'acting'>,
  { change, numbers, now }: { change: Change; numbers: EventNumbers; now: number },
): { data: Order; seq?: number | undefined } {
  if (!change.order) throw new Error('A command on an order has not changed it');
  const { after } = change.order;
  const actor = actorOf(after, actorId, acting) ?? HUB;
  return { data: presentOrder(after, actor, now), seq: actor === HUB ? undefined : numbers[actor] };
}

/** An order that the command may not have changed, as its seller's side reads it. */
function presentTo(
  unit: UnitOfWork,
  { actorId, acting }: Pick<Command, 'actorId' | 'acting'>,
  orderId: string,
  now: number,
): Order {
  const order = unit.orders.get(orderId);
  const actor = order && actorOf(order, actorId, acting);
  if (!order || !actor) throw new Error('An order that a command is about was not loaded');
  return presentOrder(order, actor, now);
}

function roomsOfOrder(unit: UnitOfWork, orderId: string): NonNullable<RowKeys['rooms']> {
  const order = unit.orders.get(orderId);
  return order ? roomsOf(order) : [];
}
