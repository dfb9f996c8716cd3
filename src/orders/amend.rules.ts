import type { Decision } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import type { OrderRow } from '../commands/rows.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { type AmendCommand, canAmendFrom, canRoleAmend } from '../contract/transitions.js';
import { NOTES_MAX, NOTES_OPEN_DAYS, READDRESSES_MAX } from '../contract/words.js';
import { actorOf } from './order.presenter.js';
import { advance, wrongState } from './order.steps.js';
import { noteCountOf } from './order.timeline.js';

const DAY_MS = 86_400_000;

/* Changes that leave an order's status as it is, and when the hub acts on it. */

export function writeNote(unit: UnitOfWork, command: Command<'order:note'>, now: number): Decision {
  const found = findToAmend(unit, command, 'note', now);
  if (found instanceof HubError) return found;
  const { order, userId } = found;
  const no = noteCountOf(order) + 1;
  const endedAt = order.receivedAt ?? order.cancelledAt;
  const isClosed = endedAt !== null && now >= endedAt + NOTES_OPEN_DAYS * DAY_MS;
  if (no > NOTES_MAX || isClosed) return wrongState(order, found.actor, 'note', now);
  return {
    order: amend(order, now, 'note', userId, { note: no }),
    note: { orderId: order.orderId, no, userId, text: command.request.text, at: now },
  };
}

export function readdress(unit: UnitOfWork, command: Command<'order:readdress'>, now: number): Decision {
  const found = findToAmend(unit, command, 'readdress', now);
  if (found instanceof HubError) return found;
  const { order, userId } = found;
  const { orderId, timeline } = order;
  const earlier = timeline.filter((entry) => entry.command === 'readdress').length;
  if (earlier >= READDRESSES_MAX) return wrongState(order, found.actor, 'readdress', now);
  return {
    order: amend(order, now, 'readdress', userId),
    address: { orderId, deliverTo: JSON.stringify(command.request.deliverTo) },
  };
}

/** The order, if this user may amend it so now. A stranger learns nothing about it. */
export function findToAmend(
  unit: UnitOfWork,
  { actorId: userId, acting, request }: Pick<Command, 'actorId' | 'acting'> & { request: { orderId: string } },
  name: AmendCommand,
  now: number,
) {
  const order = unit.orders.get(request.orderId);
  if (!order) return new HubError('ORDER_NOT_FOUND');
  const actor = actorOf(order, userId, acting);
  if (!actor || userId === null || !canRoleAmend(name, actor)) return new HubError('FORBIDDEN');
  return canAmendFrom(name, actor, order.status) ? { order, actor, userId } : wrongState(order, actor, name, now);
}

function amend(order: OrderRow, now: number, command: AmendCommand, actorId: string, changes?: { note: number }) {
  const { status, dueAt } = order;
  return advance(order, now, { command, status, actorId, dueAt, ...(changes ? { changes } : {}) });
}
