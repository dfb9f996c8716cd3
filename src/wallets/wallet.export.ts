import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { type WalletExportRequest, walletEntryColumns } from '../contract/finding.js';
import type { Entry } from '../contract/wallet.js';
import { accountOf, type Caller } from '../platform/caller.js';
import { ExportStream } from '../platform/http/export.stream.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { Ledger } from './ledger.js';

const PAGE = 1_000;

/** A user's ledger, as a table. */
@Injectable()
export class WalletExport {
  constructor(
    private readonly ledger: Ledger,
    private readonly reads: ReadLimiter,
    private readonly exports: ExportStream,
  ) {}

  /** Throws `OVERLOADED`. */
  send(caller: Caller, { format = 'csv', ...span }: WalletExportRequest, response: Response): void {
    this.exports.sendTable<Entry>(
      caller,
      response,
      { name: 'wallet', format, columns: walletEntryColumns },
      this.entries(caller, span),
    );
  }

  /** Oldest first, and only those that exist when it begins. */
  private async *entries(
    caller: Caller,
    { from, to }: Pick<WalletExportRequest, 'from' | 'to'>,
  ): AsyncGenerator<readonly Entry[]> {
    const userId = accountOf(caller);
    const span = { from: epochOf(from), to: epochOf(to) };
    const numbers = await this.reads.paced(caller, () => this.ledger.numbersOf(userId, span));
    for (let { after } = numbers; after < numbers.upTo; after += PAGE) {
      const upTo = Math.min(numbers.upTo, after + PAGE);
      const page = { after, upTo };
      yield await this.reads.paced(caller, () => this.ledger.entries(userId, page, span));
    }
  }
}

function epochOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
