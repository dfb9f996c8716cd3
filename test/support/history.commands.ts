import { messageHash } from '../../src/commands/command.js';
import type { ErrorCode } from '../../src/contract/errors.js';
import type { Answer } from '../../src/contract/wire.js';
import type { ClientCommand, Sent } from './history.js';

/** Never stored under a key: the same message may be answered differently later. */
const NEVER_STORED: readonly ErrorCode[] = ['BAD_MESSAGE', 'UNAUTHENTICATED', 'UNKNOWN_MESSAGE'];

/** One logical command: all messages sent with its key, from any device. */
export interface IssuedCommand {
  userId: string;
  message: ClientCommand;
  request: Sent['request'];
  key: string | undefined;
  sent: Sent[];
  answers: Answer<unknown>[];
}

export function groupCommands(sent: readonly Sent[], faults: string[]): IssuedCommand[] {
  const commands = new Map<string, IssuedCommand>();
  const byKey = new Map<string, string>();
  for (const [index, each] of sent.entries()) {
    const { userId, message, request } = each;
    const { key, ...content } = request;
    const text = key === undefined ? `#${index}` : key;
    const id = `${userId}\n${text}\n${messageHash(message, content)}`;
    const command = commands.get(id) ?? { userId, message, request, key, sent: [], answers: [] };
    commands.set(id, command);
    command.sent.push(each);
    for (const { answer } of each.answers) {
      if (!isFinal(answer)) continue;
      command.answers.push(answer);
      if (isKeyReused(answer)) continue;
      const owner = byKey.get(`${userId}\n${text}`) ?? id;
      byKey.set(`${userId}\n${text}`, owner);
      if (owner !== id) faults.push(`inconsistent answer: ${describe(command)} reuses the key of another message`);
    }
  }
  return [...commands.values()];
}

/** Answers after which a client does not retry. */
export function isFinal(answer: Answer<unknown>): boolean {
  return answer.ok || !answer.error.retryable;
}

export function isStored(answer: Answer<unknown>): boolean {
  return answer.ok || !(answer.error.retryable || isKeyReused(answer) || NEVER_STORED.includes(answer.error.code));
}

function isKeyReused(answer: Answer<unknown>): boolean {
  return !answer.ok && answer.error.code === 'KEY_REUSED';
}

export function isAcknowledged(command: IssuedCommand): boolean {
  return command.answers.some(({ ok }) => ok);
}

export function firstSuccess<Data>(command: IssuedCommand): { data: Data; seq?: number } | undefined {
  const success = command.answers.find(({ ok }) => ok);
  return success?.ok ? (success as { data: Data; seq?: number }) : undefined;
}

/** What the timeline calls the change that a command makes, if it changes an order. */
export function changeOf(message: ClientCommand): string | undefined {
  return message.startsWith('order:') ? message.slice('order:'.length) : undefined;
}

export function describe({ userId, message, key }: Pick<IssuedCommand, 'userId' | 'message' | 'key'>): string {
  return `${message} of ${userId}${key === undefined ? '' : ` with key ${key}`}`;
}

export function withoutReplayed({ replayed: _, ...answer }: Answer<unknown>): object {
  return answer;
}
