import { hash } from 'node:crypto';
import type { CommandName, CommandRequest } from '../contract/commands.js';

/** Who gives the commands of the operator's key, with idempotency keys of its own. No user's id begins with a space. */
export const OPERATOR_ID = ' operator';

/** One command, submitted by a user or, with `actorId` null, by the hub itself. */
export type Command<Names extends CommandName = CommandName> = {
  [Name in Names]: {
    name: Name;
    actorId: string | null;
    request: CommandRequest<Name>;
    /** The user's idempotency key, and the hash of the message that it came with. */
    key?: { text: string; messageHash: string };
    /** The id of what the command creates, chosen before the batch so that a second attempt creates the same. */
    newId?: string;
  };
}[Names];

/**
 * Equal for equal messages, whatever the order of their fields and the transport. It is stored with the answer to a key, so
 * this format must not change: keys stored before would count as reused.
 */
export function messageHash(name: CommandName, request: object): string {
  return hash('sha256', `${name} ${canonical(request)}`);
}

function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  let text = '';
  for (const name of Object.keys(value).sort()) {
    const content = (value as Record<string, unknown>)[name];
    if (content === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonical(content)}`;
  }
  return `{${text}}`;
}
