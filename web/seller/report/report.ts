import type { EntryKind, WalletTotals } from '../../../src/contract/wallet.js';

/** What a seller's money did in a period, in minor units. */
export interface Sums {
  orders: number;
  sales: number;
  /** Given back by refunds and cancellations. */
  refunds: number;
  /** Withdrawn, without what the bank has returned. */
  paidOut: number;
}

export interface Period extends Sums {
  from: number;
  to: number;
}

type Totals = WalletTotals['periods'][number];

/** A period of the ledger, as a seller sees it. */
export function toPeriod({ from, to, totals }: Totals): Period {
  const of = (kind: EntryKind) => totals.find((total) => total.kind === kind);
  const amountOf = (kind: EntryKind) => of(kind)?.amount ?? 0;
  return {
    from: Date.parse(from),
    to: Date.parse(to),
    orders: of('sale')?.count ?? 0,
    sales: amountOf('sale'),
    // Not a negative zero, which would be shown as one.
    refunds: 0 - amountOf('refunded'),
    paidOut: 0 - amountOf('withdrawal') - amountOf('returned'),
  };
}

export function sumOf(periods: readonly Sums[]): Sums {
  const sum = (name: keyof Sums) => periods.reduce((total, period) => total + period[name], 0);
  return { orders: sum('orders'), sales: sum('sales'), refunds: sum('refunds'), paidOut: sum('paidOut') };
}

/** Nothing was sold, refunded or paid out. */
export function isEmpty({ orders, sales, refunds, paidOut }: Sums): boolean {
  return orders === 0 && sales === 0 && refunds === 0 && paidOut === 0;
}
