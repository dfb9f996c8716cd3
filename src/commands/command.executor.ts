import { HubError, isStoredUnderKey } from '../contract/errors.js';
import type { Answer } from '../contract/wire.js';
import { noLongerActing } from '../platform/database/membership.lock.js';
import type { CommandHandler } from './command.handler.js';
import { type Command, OPERATOR_ID } from './command.js';
import { encodeAnswer, replayOf } from './idempotency.record.js';
import { type AnswerRow, pair } from './rows.js';
import type { UnitOfWork } from './unit.of.work.js';

/** Executes one command on the rows of its batch: at most once for a key, whose first answer every repetition gets. */
export function execute(handler: CommandHandler, unit: UnitOfWork, command: Command, now: number): Answer<unknown> {
  const { actorId, key } = command;
  if (actorId === null || key === undefined) return decideAndApply(handler, unit, command, now);

  const first = unit.answers.get(pair(actorId, key.text));
  if (first) {
    if (first.messageHash !== key.messageHash) return rejected(new HubError('KEY_REUSED'));
    return { ...storedAnswer(handler, unit, first), replayed: true };
  }
  const answer = decideAndApply(handler, unit, command, now);
  if (usesKey(answer)) {
    const row = { userId: actorId, key: key.text, messageHash: key.messageHash, stored: { answer } };
    unit.recordAnswer(row, encodeAnswer(answer, command, handler, { orders: unit.orders, now }));
  }
  return answer;
}

function decideAndApply(handler: CommandHandler, unit: UnitOfWork, command: Command, now: number): Answer<unknown> {
  const { actorId, acting } = command;
  const refusal = actorId === null ? undefined : refusalOf(unit, actorId, acting);
  if (refusal) return rejected(refusal);
  const decision = handler.decide(unit, command, now);
  if (decision instanceof HubError) return rejected(decision);
  const numbers = unit.apply(decision, now);
  const { data, seq } = handler.present(unit, command, { change: decision, numbers, now });
  return seq === undefined ? { ok: true, data } : { ok: true, data, seq };
}

/**
 * Why a user's command is not decided. Checked under the batch's locks: since the message was admitted the user may have unregistered,
 * and the membership may have been ended or replaced.
 */
function refusalOf(unit: UnitOfWork, actorId: string, acting: Command['acting']): HubError | undefined {
  if (actorId !== OPERATOR_ID && !unit.users.has(actorId)) return new HubError('UNAUTHENTICATED');
  const isActing = !acting || unit.memberships.get(pair(acting.ownerId, actorId)) === acting.membershipId;
  return isActing ? undefined : noLongerActing();
}

function storedAnswer(handler: CommandHandler, unit: UnitOfWork, { stored, userId }: AnswerRow): Answer<unknown> {
  return 'answer' in stored ? stored.answer : replayOf(handler).answer(unit, stored.reference, userId);
}

function rejected(error: HubError): Answer<never> {
  return { ok: false, error: error.toBody() };
}

/** Successes and business refusals are stored under the key; validation errors and retryable ones are not. */
function usesKey(answer: Answer<unknown>): boolean {
  return answer.ok || isStoredUnderKey(answer.error.code);
}
