import { v7 as uuidv7 } from 'uuid';
import type { CommandHandlers, RowKeys } from '../commands/command.handler.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import type { WalletBalance } from '../contract/wallet.js';
import { deposit, type OnWallet, ownerOf, walletOf, withdraw } from './wallet.rules.js';

const onWallet = {
  keys(command: OnWallet): RowKeys {
    const owner = ownerOf(command);
    const { userId } = command.request;
    return { ...(owner === null ? {} : { wallets: [owner] }), ...(userId === undefined ? {} : { users: [userId] }) };
  },
  present: (unit: UnitOfWork, command: OnWallet): { data: WalletBalance } => ({
    data: { balance: walletOf(unit, ownerOf(command)).balance },
  }),
};

/** The commands that move a user's money in and out of the hub. */
export const walletHandlers: CommandHandlers<'wallet:deposit' | 'wallet:withdraw'> = {
  'wallet:deposit': { ...onWallet, decide: deposit },
  'wallet:withdraw': {
    ...onWallet,
    newId: (now) => uuidv7({ msecs: now }),
    relatedKeys: (unit, { newId = '' }) => (unit.policy.payments ? { payouts: [newId] } : {}),
    decide: withdraw,
  },
};
