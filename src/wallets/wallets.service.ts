import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { OPERATOR_ID } from '../commands/command.js';
import { CommandQueue } from '../commands/command.queue.js';
import { HubError } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import type {
  DepositRequest,
  EntriesRequest,
  Entry,
  MovementRequest,
  WalletBalance,
  Wallet as WalletView,
} from '../contract/wallet.js';
import type { Answer } from '../contract/wire.js';
import type { Caller } from '../platform/caller.js';
import type { Tx } from '../platform/database/database.js';
import { readNumberCursor, toPage } from '../platform/database/pagination.js';
import { lockRows } from '../platform/database/row.lock.js';
import { Wallet, WalletEntry } from './wallet.entity.js';

/** Balances and their ledger. Money moves by commands only. */
@Injectable()
export class WalletsService {
  constructor(
    private readonly commands: CommandQueue,
    @InjectRepository(Wallet) private readonly wallets: Repository<Wallet>,
    @InjectRepository(WalletEntry) private readonly ledger: Repository<WalletEntry>,
  ) {}

  /** To the caller's wallet, or with the operator's key to that of the user whom it names. Throws `BAD_MESSAGE`. */
  deposit(caller: Caller, request: DepositRequest): Promise<Answer<WalletBalance>> {
    const isOperator = caller.kind === 'operator';
    if (isOperator !== (request.userId !== undefined)) {
      const problem = isOperator ? 'must name the user' : 'is not a field of this message';
      throw HubError.badMessage([{ path: 'userId', problem }]);
    }
    return this.commands.submit('wallet:deposit', isOperator ? OPERATOR_ID : caller.userId, request, caller);
  }

  withdraw(caller: Caller, request: MovementRequest): Promise<Answer<WalletBalance>> {
    return this.commands.submit('wallet:withdraw', caller.userId, request, caller);
  }

  async wallet(userId: string): Promise<WalletView> {
    const { balance, held } = await this.wallets.findOneByOrFail({ userId });
    return { balance, held };
  }

  /** The user's ledger, newest entry first. */
  async entries(userId: string, { after, limit = PAGE_LIMIT_DEFAULT }: EntriesRequest): Promise<Page<Entry>> {
    const query = this.ledger
      .createQueryBuilder('entry')
      .where('entry.userId = :userId', { userId })
      .orderBy('entry.entryNo', 'DESC')
      .limit(limit + 1);
    if (after !== undefined) query.andWhere('entry.entryNo < :after', { after: readNumberCursor(after) });
    return toPage(await query.getMany(), limit, presentEntry, ({ entryId }) => entryId);
  }

  async open(tx: Tx, userId: string): Promise<void> {
    await tx.withRepository(this.wallets).insert({ userId, balance: 0, held: 0, entries: 0 });
  }

  /** Locks the wallet, so that no money of this user moves until the transaction ends, and returns what is in it. */
  async lock(tx: Tx, userId: string): Promise<WalletView> {
    await lockRows(tx, 'wallets', { user_id: userId });
    const rows: WalletView[] = await tx.query('SELECT balance, held FROM wallets WHERE user_id = ?', [userId]);
    return rows[0] ?? { balance: 0, held: 0 };
  }
}

export function presentEntry({ entryNo, amount, balance, kind, orderId, at }: WalletEntry): Entry {
  return { entryId: String(entryNo), amount, balance, kind, orderId, at: isoTime(at) };
}
