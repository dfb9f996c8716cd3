import type { Decision } from '../commands/command.handler.js';
import { accountOf, type Command, newIdOf } from '../commands/command.js';
import { balanceOverflow, insufficientFunds } from '../commands/money.errors.js';
import type { PayoutRow, WalletRow } from '../commands/rows.js';
import { moneyOf, type UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { BALANCE_MAX } from '../contract/fields.js';

/** A command on a wallet. */
export type OnWallet = Pick<Command, 'actorId' | 'acting'> & {
  request: { amount: number; userId?: string | undefined };
};

export function deposit(unit: UnitOfWork, command: Command<'wallet:deposit'>): Decision {
  const { amount, userId } = command.request;
  if (userId !== undefined && !unit.users.has(userId)) return new HubError('USER_NOT_FOUND', 'There is no such user.');
  const wallet = walletOf(unit, ownerOf(command));
  if (moneyOf(wallet) > BALANCE_MAX - amount) return balanceOverflow('amount');
  return { money: [{ userId: wallet.userId, amount, kind: 'deposit', orderId: null }] };
}

/** Debits at once. Where a payment provider pays out, it is asked after the commit: see payout.runner.ts. */
export function withdraw(unit: UnitOfWork, command: Command<'wallet:withdraw'>, now: number): Decision {
  const { amount } = command.request;
  const wallet = walletOf(unit, ownerOf(command));
  if (wallet.balance < amount) return insufficientFunds(amount, wallet.balance);
  const { userId } = wallet;
  const { payments } = unit.policy;
  return {
    money: [{ userId, amount: -amount, kind: 'withdrawal', orderId: null }],
    ...(payments && { payout: newPayout({ payoutId: newIdOf(command), userId, amount }, payments, now) }),
  };
}

function newPayout(
  money: Pick<PayoutRow, 'payoutId' | 'userId' | 'amount'>,
  { provider, currency }: Pick<PayoutRow, 'provider' | 'currency'>,
  now: number,
): PayoutRow {
  return { ...money, provider, currency, status: 'pending', createdAt: now, settledAt: null, dueAt: now };
}

/** Whose wallet a command is about: the actor's, that of the seller for whom the actor acts, or that of the user whom the operator names. */
export function ownerOf(command: OnWallet): string | null {
  return command.request.userId ?? accountOf(command);
}

/** The wallet that a command of this user has loaded. */
export function walletOf(unit: UnitOfWork, userId: string | null): WalletRow {
  const wallet = userId === null ? undefined : unit.wallets.get(userId);
  if (!wallet) throw new Error('A wallet that a command needs was not loaded');
  return wallet;
}
