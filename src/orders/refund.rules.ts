import type { Decision } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import type { Copies, LineChanges } from '../commands/rows.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { onTheirWay, refundableOf, refundCopies } from './order.lines.js';
import { giveBack } from './order.settlement.js';
import { advance, findOrder, pick, stockOf, withoutBalance, wrongState } from './order.steps.js';

/* What a seller puts right after an order was paid or shipped. The order's status and when the hub acts on it stay. */

export function refund(unit: UnitOfWork, command: Command<'order:refund'>, now: number): Decision {
  const found = findOrder(unit, command, 'refund', now);
  if (found instanceof HubError) return found;
  const { order, state } = found;
  // Money in the wallet of somebody who has left would be lost.
  if (!unit.users.has(order.buyerId)) return new HubError('USER_NOT_FOUND', 'The buyer has unregistered.');
  const { items, amount = 0, restock = false, reason } = command.request;
  const copies: Copies | HubError = items ? pick(state, items, refundableOf) : [];
  if (copies instanceof HubError) return copies;
  const { shipped, price } = refundCopies(state, copies);
  const money = items ? price : amount;
  if (money > order.total - state.refunded) {
    const path = items ? 'items' : 'amount';
    return HubError.badMessage([{ path, problem: 'would give back more than the total of the order' }]);
  }
  const settled = giveBack(unit, order, money);
  if (settled instanceof HubError) return withoutBalance(command, settled);
  const restocked = restock ? shipped : [];
  const lines: LineChanges = { money };
  if (copies.length > 0) lines.copies = copies;
  if (restocked.length > 0) lines.restocked = restocked;
  if (reason !== undefined) lines.reason = reason;
  const { status, dueAt } = order;
  const step = { command: 'refund', status, actorId: command.actorId, dueAt, changes: { lines } } as const;
  return { order: advance(order, now, step), stock: stockOf(unit, order, restocked), ...settled };
}

export function track(unit: UnitOfWork, command: Command<'order:track'>, now: number): Decision {
  const found = findOrder(unit, command, 'track', now);
  if (found instanceof HubError) return found;
  const { order, state, actor } = found;
  const { request } = command;
  const isOnly = state.parcels.length === 1;
  if (request.parcel === undefined && !isOnly) {
    return HubError.badMessage([{ path: 'parcel', problem: 'is required: the order has several' }]);
  }
  const parcel = onTheirWay(state).find((each) => request.parcel === undefined || each.parcel === request.parcel);
  if (!parcel) return wrongState(order, actor, 'track', now);
  const { carrier = parcel.carrier, trackingNo = parcel.trackingNo } = request;
  const { status, dueAt } = order;
  const changes = { carrier, trackingNo, lines: { parcels: [parcel.parcel] } };
  return { order: advance(order, now, { command: 'track', status, actorId: command.actorId, dueAt, changes }) };
}
