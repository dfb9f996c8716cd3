import { BALANCE_MAX } from '../contract/fields.js';
import type { CommandNamed } from './command.js';
import { beyondBalance, type Decision, insufficientFunds } from './order.rules.js';
import type { World } from './world.js';

export function deposit(world: World, { by, request: { amount } }: CommandNamed<'wallet:deposit'>): Decision {
  const wallet = walletOf(world, by);
  if (wallet.balance > BALANCE_MAX - amount) return beyondBalance('amount');
  return { money: [{ userId: wallet.userId, amount, kind: 'deposit', orderId: null }] };
}

export function withdraw(world: World, { by, request: { amount } }: CommandNamed<'wallet:withdraw'>): Decision {
  const wallet = walletOf(world, by);
  if (wallet.balance < amount) return insufficientFunds(amount, wallet.balance);
  return { money: [{ userId: wallet.userId, amount: -amount, kind: 'withdrawal', orderId: null }] };
}

export function walletOf(world: World, userId: string | null) {
  const wallet = userId === null ? undefined : world.wallets.get(userId);
  if (!wallet) throw new Error('A wallet that a command needs was not loaded');
  return wallet;
}
