import { Injectable } from '@nestjs/common';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import type { EntriesRequest, Entry } from '../contract/wallet.js';
import { Database, type Tx } from '../platform/database.js';
import { pageOf, readNumberCursor } from '../platform/paging.js';
import { Wallet, WalletEntry } from './wallet.entity.js';

/** Balances and their ledger, to read. Money is moved by commands only. */
@Injectable()
export class WalletService {
  constructor(private readonly database: Database) {}

  async open(tx: Tx, userId: string): Promise<void> {
    await tx.insert(Wallet, { userId, balance: 0, entries: 0 });
  }

  async balance(userId: string): Promise<number> {
    const wallet = await this.database.read.findOneByOrFail(Wallet, { userId });
    return wallet.balance;
  }

  /** Locks the wallet: until the transaction ends, no money of this user can move. */
  async lock(tx: Tx, userId: string): Promise<number> {
    const sql = `SELECT balance FROM wallets WHERE user_id = ?${this.database.dialect.forUpdate}`;
    const [row]: { balance: number }[] = await tx.query(sql, [userId]);
    return row?.balance ?? 0;
  }

  async entries(userId: string, { after, limit = PAGE_LIMIT_DEFAULT }: EntriesRequest): Promise<Page<Entry>> {
    const query = this.database.read
      .createQueryBuilder(WalletEntry, 'entry')
      .where('entry.userId = :userId', { userId })
      .orderBy('entry.entryNo', 'DESC')
      .limit(limit + 1);
    if (after !== undefined) query.andWhere('entry.entryNo < :after', { after: readNumberCursor(after) });
    const rows = await query.getMany();
    return pageOf(rows, limit, entryView, ({ entryId }) => entryId);
  }
}

function entryView({ entryNo, amount, balance, kind, orderId, at }: WalletEntry): Entry {
  return { entryId: String(entryNo), amount, balance, kind, orderId, at: isoTime(at) };
}
