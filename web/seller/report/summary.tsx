import type { ReactNode } from 'react';
import type { Wallet } from '../../../src/contract/wallet.js';
import { useOrderCounts } from '../../hooks/use.order.counts.js';
import { useReportTexts } from '../../i18n/reports.js';
import { formatMoney } from '../../money.js';
import { linkTo } from '../../route.js';
import { useTeam } from '../team.js';
import type { Span } from './periods.js';
import { type Sums, sumOf } from './report.js';
import { usePeriodBefore } from './use.report.js';

/** What was sold in the span, beside as much time before it. */
export function SpanSummary({ span: { unit, count }, periods }: { span: Span; periods: readonly Sums[] }) {
  const t = useReportTexts();
  const before = usePeriodBefore(unit);
  const { orders, sales, refunds, paidOut } = sumOf(periods);
  const change = before && before.sales > 0 ? sales / before.sales - 1 : undefined;
  return (
    <dl className="report-sums">
      <Sum name={t.sales} value={formatMoney(sales)}>
        {t.ordersCount(orders)}
      </Sum>
      <Sum name={t.refunds} value={formatMoney(refunds)} />
      <Sum name={t.net} value={formatMoney(sales - refunds)} />
      <Sum name={t.paidOut} value={formatMoney(paidOut)} />
      {before && (
        <Sum name={t.before(count, unit)} value={formatMoney(before.sales)}>
          {change === undefined ? t.ordersCount(before.orders) : t.change(change)}
        </Sum>
      )}
    </dl>
  );
}

/** What the seller could withdraw now, and what is on its way. */
export function MoneyNow({ wallet: { balance, held } }: { wallet: Wallet }) {
  const t = useReportTexts();
  const counts = useOrderCounts();
  const { isMember } = useTeam();
  return (
    <section className="card" aria-label={t.now}>
      <h3>{t.now}</h3>
      <dl className="report-sums">
        <Sum name={t.available} value={formatMoney(balance)}>
          {!isMember && <a href={linkTo('wallet')}>{t.withdraw}</a>}
        </Sum>
        <Sum name={t.held} value={formatMoney(held)}>
          {held > 0 ? t.heldUntil(counts) : t.nothingHeld}
        </Sum>
      </dl>
    </section>
  );
}

function Sum({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className="amount">{value}</span>
        {children && <span className="quiet">{children}</span>}
      </dd>
    </div>
  );
}
