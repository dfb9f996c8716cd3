import type { Order } from '../src/contract/orders.js';
import type { OrderCommand, Role } from '../src/contract/transitions.js';
import { ordersOf } from './orders.js';
import { KeyedStore, useKeyedStore } from './store.js';

/** What the page sends about an order, and waits for. */
export type PendingCommand = OrderCommand | 'readdress';

/** The command of an order that is in flight, or the error of its last one. */
export interface CommandState {
  command?: PendingCommand;
  error?: unknown;
}
const commandStates = new KeyedStore<CommandState>();
/** The state of every order without a command, so that its identity is stable. */
const NO_COMMAND: CommandState = {};

export function useCommandState(orderId: string): CommandState {
  return useKeyedStore(commandStates, orderId) ?? NO_COMMAND;
}

/**
 * Sends a command of an order and resolves with whether it succeeded. Nothing is updated optimistically: the page shows the
 * command as pending until the hub answers.
 */
export async function runCommand(
  role: Role,
  orderId: string,
  command: PendingCommand,
  send: () => Promise<Order>,
): Promise<boolean> {
  commandStates.set(orderId, { command });
  try {
    ordersOf[role].upsert(await send());
    commandStates.delete(orderId);
    return true;
  } catch (error) {
    commandStates.set(orderId, { error });
    ordersOf[role].load(orderId).catch(() => undefined);
    return false;
  }
}
