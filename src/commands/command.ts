import { hash } from 'node:crypto';
import type { CommandName, CommandRequest } from '../contract/commands.js';
import type { Acting } from '../platform/caller.js';

/** Who gives the commands of the operator's key, with idempotency keys of its own. No user's id begins with a space. */
export const OPERATOR_ID = ' operator';

/** One command, submitted by a user or, with `actorId` null, by the hub itself. */
export type Command<Names extends CommandName = CommandName> = {
  [Name in Names]: {
    name: Name;
    actorId: string | null;
    /** Set where the actor is a member of staff and acts for a seller. */
    acting?: Acting;
    request: CommandRequest<Name>;
    /** The user's idempotency key, and the hash of the message that it came with. */
    key?: { text: string; messageHash: string };
    /** The id of what the command creates, chosen before the batch so that a second attempt creates the same. */
    newId?: string;
  };
}[Names];

/** Whose orders, stores and money the command is about; null for those of the hub itself. */
export function accountOf({ actorId, acting }: Pick<Command, 'actorId' | 'acting'>): string | null {
  return acting?.ownerId ?? actorId;
}

/** The id that a command was given for what it creates. */
export function newIdOf({ newId }: { newId?: string | undefined }): string {
  if (newId === undefined) throw new Error('A command has no id for what it creates');
  return newId;
}

/**
 * Equal for equal messages, whatever the order of their fields and the transport. It is stored with the answer to a key, so
 * this format must not change: keys stored before would count as reused. The same words for another account are another message: a
 * deposit for the seller is not one for oneself.
 */
export function messageHash(name: CommandName, request: object, acting?: Acting): string {
  const owner = acting === undefined ? '' : `for ${JSON.stringify(acting.ownerId)} `;
  return hash('sha256', `${name} ${owner}${canonical(request)}`);
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
