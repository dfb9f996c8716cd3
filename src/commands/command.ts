import { hash } from 'node:crypto';
import type { z } from 'zod';
import type { addStockRequest } from '../contract/stores.js';
import type { movementRequest } from '../contract/wallet.js';
import type { Request } from '../contract/wire.js';

/** Every command that moves stock, money or an order's status, and what it says besides its key. */
export interface CommandRequests {
  'order:place': Keyless<Request<'order:place'>>;
  'order:pay': Keyless<Request<'order:pay'>>;
  'order:ship': Keyless<Request<'order:ship'>>;
  'order:receive': Keyless<Request<'order:receive'>>;
  'order:cancel': Keyless<Request<'order:cancel'>>;
  'wallet:deposit': Keyless<z.infer<typeof movementRequest>>;
  'wallet:withdraw': Keyless<z.infer<typeof movementRequest>>;
  'stock:add': Keyless<z.infer<typeof addStockRequest>>;
  /** The hub's own: the time of an order has come. */
  'order:due': { orderId: string };
}
export type CommandName = keyof CommandRequests;
type Keyless<Request> = Omit<Request, 'key'>;

/** One command, given by a user (or by the hub itself: `by` is null). */
export type Command = {
  [Name in CommandName]: {
    name: Name;
    by: string | null;
    request: CommandRequests[Name];
    /** The user's key, and the hash of the message that it came with. */
    key?: { text: string; messageHash: string };
    /** The id that the hub gives to the order, if this places one. */
    orderId?: string;
  };
}[CommandName];
export type CommandNamed<Name extends CommandName> = Extract<Command, { name: Name }>;

/**
 * Equal for equal messages, whatever the order of their fields and the way in. It is kept with the answer to a key: written
 * otherwise, keys from before would be taken for reused.
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
