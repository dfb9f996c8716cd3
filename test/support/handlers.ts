import { execute } from '../../src/commands/command.executor.js';
import type { CommandHandler } from '../../src/commands/command.handler.js';
import type { Command } from '../../src/commands/command.js';
import { decodeAnswer } from '../../src/commands/idempotency.record.js';
import type { StorePolicy } from '../../src/commands/rows.js';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import type { CommandName } from '../../src/contract/commands.js';
import type { Answer } from '../../src/contract/wire.js';
import { orderHandlers } from '../../src/orders/order.handlers.js';
import { orderReplay, ordersReplay } from '../../src/orders/order.replay.js';
import { paymentHandlers } from '../../src/payments/payment.handlers.js';
import { storeHandlers } from '../../src/stores/store.handlers.js';
import { walletHandlers } from '../../src/wallets/wallet.handlers.js';

/** The handlers of all features: a command without one does not compile. */
const handlers: Record<CommandName, CommandHandler> = {
  ...orderHandlers,
  ...storeHandlers,
  ...walletHandlers,
  ...paymentHandlers,
};

/** A store that takes orders, and accepts them by itself. */
export function openStore(ownerId: string): StorePolicy {
  return { ownerId, isOpen: 1, pausedUntil: null, acceptWithinSeconds: 0 };
}

/** Executes a command on rows in memory, as a batch does on those it has loaded. */
export function executeOn(unit: UnitOfWork, command: Command, now: number): Answer<unknown> {
  return execute(handlers[command.name], unit, command, now);
}

/** What the text of a stored answer says to its user. Only answers about orders are stored as references. */
export function storedAnswer(unit: Pick<UnitOfWork, 'orders'>, userId: string, text: string): Answer<unknown> {
  const stored = decodeAnswer(text);
  if ('answer' in stored) return stored.answer;
  const replay = 'orders' in stored.reference ? ordersReplay : orderReplay;
  // A batch loads only the orders that the reference names.
  const named = new Set(replay.orderIds(stored.reference));
  const orders = new Map([...unit.orders].filter(([orderId]) => named.has(orderId)));
  return replay.answer({ orders }, stored.reference, userId);
}
