import { Injectable } from '@nestjs/common';
import { entryKinds, type TotalsRequest, type WalletTotals } from '../contract/wallet.js';
import { accountOf, type Caller } from '../platform/caller.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { type KindTotal, Ledger } from './ledger.js';

/** Entries summed by one statement: few enough for their sum to fit into 64 bits, whatever their amounts. */
const SUMMED_AT_ONCE = 1_000;
/** What summing an entry takes, as the bytes of an answer that take as long. A year of 300 orders a day stays within the burst. */
const BYTES_PER_SUMMED_ENTRY = 32;

/** Sums of a ledger by periods: what a report is made of, without reading its entries. */
@Injectable()
export class LedgerTotals {
  constructor(
    private readonly ledger: Ledger,
    private readonly reads: ReadLimiter,
  ) {}

  /** A slice of the ledger at a time, so that others have their turn. */
  async read(caller: Caller, request: TotalsRequest): Promise<WalletTotals> {
    const userId = accountOf(caller);
    const isoTimes = request.times.split(',');
    const times = isoTimes.map((time) => Date.parse(time));
    const numbers = await this.ledger.numbersOf(userId, { from: times[0], to: times.at(-1) });
    const found: KindTotal[] = [];
    for (let { after } = numbers; after < numbers.upTo; after += SUMMED_AT_ONCE) {
      const upTo = Math.min(numbers.upTo, after + SUMMED_AT_ONCE);
      await this.reads.spend(caller.readKey, (upTo - after) * BYTES_PER_SUMMED_ENTRY);
      found.push(...(await this.ledger.totals(userId, { after, upTo }, times)));
    }
    const periods = isoTimes.slice(1).map((to, index) => {
      return { from: isoTimes[index] ?? '', to, totals: sumByKind(found.filter(({ period }) => period === index)) };
    });
    return { periods };
  }
}

function sumByKind(totals: readonly KindTotal[]): WalletTotals['periods'][number]['totals'] {
  return entryKinds.flatMap((kind) => {
    const ofKind = totals.filter((total) => total.kind === kind);
    if (ofKind.length === 0) return [];
    const sum = (name: 'count' | 'amount') => ofKind.reduce((before, total) => before + total[name], 0);
    return [{ kind, count: sum('count'), amount: sum('amount') }];
  });
}
