import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { type WalletExportRequest, walletEntryColumns } from '../contract/finding.js';
import type { Entry } from '../contract/wallet.js';
import { accountOf, type Caller } from '../platform/caller.js';
import { ExportStream } from '../platform/http/export.stream.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { WalletsService } from './wallets.service.js';

const PAGE = 1_000;

/** A user's ledger, as a table. */
@Injectable()
export class WalletExport {
  constructor(
    private readonly wallets: WalletsService,
    private readonly reads: ReadLimiter,
    private readonly exports: ExportStream,
  ) {}

  /** Throws `OVERLOADED`. */
  send(caller: Caller, { format = 'csv' }: WalletExportRequest, response: Response): void {
    this.exports.sendTable<Entry>(
      caller,
      response,
      { name: 'wallet', format, columns: walletEntryColumns },
      this.entries(caller),
    );
  }

  /** Oldest first, and only those that exist when it begins. */
  private async *entries(caller: Caller): AsyncGenerator<readonly Entry[]> {
    const userId = accountOf(caller);
    const newest = await this.wallets.entryCount(userId);
    for (let after = 0; after < newest; after += PAGE) {
      const upTo = Math.min(newest, after + PAGE);
      yield await this.reads.paced(caller, () => this.wallets.entriesBetween(userId, after, upTo));
    }
  }
}
