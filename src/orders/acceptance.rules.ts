import type { Decision } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { advance, dueOf, findOrder } from './order.steps.js';

/** The seller accepts the order, or says again when it will be ready. Its deadline is then that of shipping. */
export function accept(unit: UnitOfWork, command: Command<'order:accept'>, now: number): Decision {
  const found = findOrder(unit, command, 'accept', now);
  if (found instanceof HubError) return found;
  const { order, state } = found;
  const { status } = order;
  const { readyAt } = command.request;
  const changes = readyAt === undefined ? {} : { changes: { readyAt: Date.parse(readyAt) } };
  const step = { command: 'accept', status, actorId: command.actorId, dueAt: null, ...changes } as const;
  const { after, previous } = advance(order, now, step);
  return { order: { after: { ...after, dueAt: dueOf(after, state, status) }, previous } };
}
