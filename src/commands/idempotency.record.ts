import type { Answer } from '../contract/wire.js';
import type { AnswerReplay, CommandHandler } from './command.handler.js';
import type { Command } from './command.js';
import type { StoredAnswer } from './rows.js';

/**
 * The first answer to an idempotency key as the database keeps it. A reference to a change of an order takes a tenth of the
 * answer's text, and answers are most of what a batch writes.
 */
export function encodeAnswer(
  answer: Answer<unknown>,
  command: Command,
  { replay }: CommandHandler,
  when: Parameters<AnswerReplay['referenceTo']>[2],
): string {
  return JSON.stringify(answer.ok && replay ? replay.referenceTo(answer, command, when) : answer);
}

export function decodeAnswer(text: string): StoredAnswer {
  // Only the hub writes these texts. A reference never has a field `ok`.
  const value = JSON.parse(text) as Answer<unknown> | object;
  return 'ok' in value ? { answer: value } : { reference: value };
}

/** Only a command whose handler stores references is ever given one. */
export function replayOf({ replay }: CommandHandler): AnswerReplay {
  if (!replay) throw new Error('A stored answer is a reference that its command cannot replay');
  return replay;
}
