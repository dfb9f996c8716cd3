import { useReportTexts } from '../../i18n/reports.js';
import { formatMoney } from '../../money.js';
import { axisLabelOf, labelOf } from './period.label.js';
import type { Unit } from './periods.js';
import type { Period } from './report.js';

/** The chart's own units, stretched to the width of the screen. */
const SLOT = 10;
const GAP = 2;
const HEIGHT = 100;

/** A bar of sales for each period, and one of refunds before it. The table below has the same numbers. */
export function ReportChart({ unit, periods }: { unit: Unit; periods: readonly Period[] }) {
  const t = useReportTexts();
  const most = Math.max(1, ...periods.map(({ sales, refunds }) => Math.max(sales, refunds)));
  const heightOf = (amount: number) => (Math.max(0, amount) / most) * HEIGHT;
  const hasRefunds = periods.some(({ refunds }) => refunds > 0);
  return (
    <figure className="report-chart">
      <figcaption>
        <span className="key-sales">{t.sales}</span>
        {hasRefunds && <span className="key-refunds">{t.refunds}</span>}
        <span className="quiet">{t.most(formatMoney(most))}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${periods.length * SLOT} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t.chart[unit]}
      >
        {[0, HEIGHT / 2, HEIGHT].map((y) => (
          <line key={y} className="grid" x1="0" x2={periods.length * SLOT} y1={y} y2={y} />
        ))}
        {periods.map((period, index) => {
          const [left, width] = [index * SLOT + GAP / 2, SLOT - GAP];
          const [sales, refunds] = [heightOf(period.sales), heightOf(period.refunds)];
          return (
            <g key={period.from}>
              <rect className="bar" x={left} y={HEIGHT - sales} width={width} height={sales} />
              <rect className="bar refunds" x={left} y={HEIGHT - refunds} width={width / 2} height={refunds} />
              <rect className="hit" x={index * SLOT} y="0" width={SLOT} height={HEIGHT}>
                <title>{t.bar(labelOf(unit, period), period.orders, formatMoney(period.sales))}</title>
              </rect>
            </g>
          );
        })}
      </svg>
      <div className="axis" aria-hidden="true">
        {periods.map((period, index) => {
          const [text, name] = axisLabelOf(unit, periods, index);
          return (
            <span key={period.from}>
              {text}
              {name !== undefined && <small>{name}</small>}
            </span>
          );
        })}
      </div>
    </figure>
  );
}
