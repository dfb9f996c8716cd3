import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Entry, EntryKind } from '../contract/wallet.js';
import { Wallet, WalletEntry } from './wallet.entity.js';
import { presentEntry } from './wallets.service.js';

/** How far the clocks of hubs may differ, or a clock be set back, without an entry being missed. */
const CLOCK_MARGIN_MS = 3_600_000;

/** A span of time in epoch milliseconds, without its end. */
export interface Span {
  from?: number | undefined;
  to?: number | undefined;
}

/** The entries after one number and up to another: a ledger is numbered from 1 without gaps. */
export interface Numbers {
  after: number;
  upTo: number;
}

export interface KindTotal {
  /** The index of the period. */
  period: number;
  kind: EntryKind;
  count: number;
  amount: number;
}

/**
 * Reads a ledger by time. It has no index of times, which every payment would have to write: its entries are numbered in their
 * order, so that a binary search finds the numbers of a span with some twenty reads.
 */
@Injectable()
export class Ledger {
  constructor(
    @InjectRepository(Wallet) private readonly wallets: Repository<Wallet>,
    @InjectRepository(WalletEntry) private readonly stored: Repository<WalletEntry>,
  ) {}

  /** The numbers of this span's entries, and of some around it. Only of entries that exist now. */
  async numbersOf(userId: string, { from, to }: Span): Promise<Numbers> {
    const { entries } = await this.wallets.findOneByOrFail({ userId });
    const after = from === undefined ? 0 : await this.countBefore(userId, from - CLOCK_MARGIN_MS, entries);
    const upTo = to === undefined ? entries : await this.countBefore(userId, to + CLOCK_MARGIN_MS, entries);
    return { after, upTo };
  }

  /** Of the entries with these numbers, those of this span, oldest first. Plain SQL: an export may read a million of them. */
  async entries(
    userId: string,
    { after, upTo }: Numbers,
    { from = 0, to = Number.MAX_SAFE_INTEGER }: Span,
  ): Promise<Entry[]> {
    const sql = `SELECT entry_no AS entryNo, amount, balance, kind, order_id AS orderId, at FROM wallet_entries
      WHERE user_id = ? AND entry_no > ? AND entry_no <= ? AND at >= ? AND at < ? ORDER BY entry_no`;
    const rows: WalletEntry[] = await this.stored.query(sql, [userId, after, upTo, from, to]);
    return rows.map(presentEntry);
  }

  /** Of the entries with these numbers, the sums of each kind in each period; a period ends where the next begins. */
  async totals(userId: string, { after, upTo }: Numbers, times: readonly number[]): Promise<KindTotal[]> {
    const [from, ...ends] = times;
    const whens = ends.map((_, index) => `WHEN at < ? THEN ${index}`).join(' ');
    const sql = `SELECT CASE ${whens} END AS period, kind, COUNT(*) AS count, SUM(amount) AS amount FROM wallet_entries
      WHERE user_id = ? AND entry_no > ? AND entry_no <= ? AND at >= ? AND at < ? GROUP BY period, kind`;
    const rows: Record<keyof KindTotal, unknown>[] = await this.stored.query(sql, [
      ...[...ends, userId, after, upTo, from, ends.at(-1)],
    ]);
    // MariaDB and MySQL give a sum as a text.
    return rows.map(({ period, kind, count, amount }) => {
      return { period: Number(period), kind: kind as EntryKind, count: Number(count), amount: Number(amount) };
    });
  }

  /** How many of the first entries are from before this time. */
  private async countBefore(userId: string, at: number, entries: number): Promise<number> {
    const sql = 'SELECT at FROM wallet_entries WHERE user_id = ? AND entry_no = ?';
    let [before, upTo] = [0, entries];
    while (before < upTo) {
      const middle = Math.ceil((before + upTo) / 2);
      const [entry]: Pick<WalletEntry, 'at'>[] = await this.stored.query(sql, [userId, middle]);
      if (entry && entry.at < at) before = middle;
      else upTo = middle - 1;
    }
    return before;
  }
}
