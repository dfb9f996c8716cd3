import { useReportTexts } from '../../i18n/reports.js';
import { formatMoney } from '../../money.js';
import { labelOf } from './period.label.js';
import type { Unit } from './periods.js';
import { type Period, type Sums, sumOf } from './report.js';

/** The numbers of the chart, the latest period first. */
export function PeriodTable({ unit, periods }: { unit: Unit; periods: readonly Period[] }) {
  const t = useReportTexts();
  const [current] = periods.slice(-1);
  return (
    <table className="report-table" aria-label={t.table[unit]}>
      <thead>
        <tr>
          <th scope="col">{t.units[unit].one}</th>
          {[t.orders, t.sales, t.refunds, t.paidOut].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {periods.toReversed().map((period) => (
          <tr key={period.from}>
            <th scope="row">
              {labelOf(unit, period)} {period === current && <span className="quiet">{t.soFar}</span>}
            </th>
            <Numbers sums={period} />
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">{t.total}</th>
          <Numbers sums={sumOf(periods)} />
        </tr>
      </tfoot>
    </table>
  );
}

/** On a phone each number stands beside its name, for a row of five does not fit. */
function Numbers({ sums: { orders, sales, refunds, paidOut } }: { sums: Sums }) {
  const t = useReportTexts();
  const numbers: [name: string, value: number, text: string][] = [
    [t.orders, orders, t.number(orders)],
    [t.sales, sales, formatMoney(sales)],
    [t.refunds, refunds, formatMoney(refunds)],
    [t.paidOut, paidOut, formatMoney(paidOut)],
  ];
  return numbers.map(([name, value, text]) => (
    <td key={name} data-name={name} className={value === 0 ? 'quiet' : undefined}>
      {text}
    </td>
  ));
}
