import { v7 as uuidv7 } from 'uuid';
import { type Command, messageHash } from '../../src/commands/command.js';
import type { CommandName, CommandRequest } from '../../src/contract/commands.js';
import type { Person } from './person.js';

/** A command as the queue gives it to a batch, of this person or of the hub itself. */
export function commandOf<Name extends CommandName>(
  name: Name,
  actor: Person | null,
  request: CommandRequest<Name>,
  key?: string,
): Command {
  const command = {
    ...{ name, actorId: actor?.userId ?? null, request },
    ...(key === undefined ? {} : { key: { text: key, messageHash: messageHash(name, request) } }),
    ...(createsSomething.includes(name) ? { newId: uuidv7() } : {}),
  };
  // The parameters tie `request` to `name`, which the compiler cannot infer.
  return command as unknown as Command;
}

const createsSomething: readonly CommandName[] = ['order:place', 'wallet:withdraw', 'topup:create'];
