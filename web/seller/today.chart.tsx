import { useEffect } from 'react';
import { useTranslations } from '../i18n/language.js';
import { formatMoney } from '../money.js';
import { useStore } from '../store.js';
import { startToday, today } from './today.js';

const HOUR_WIDTH = 22;
const HEIGHT = 60;
const LABELS_HEIGHT = 16;

/** Today's orders and revenue in total, with a bar of revenue for each hour. */
export function TodayChart() {
  const t = useTranslations().panel;
  const hours = useStore(today);
  useEffect(startToday, []);
  const maxRevenue = Math.max(1, ...hours.map(({ revenue }) => revenue));
  const orders = hours.reduce((sum, hour) => sum + hour.orders, 0);
  const revenue = hours.reduce((sum, hour) => sum + hour.revenue, 0);
  return (
    <section className="card today" aria-label={t.today}>
      <h2>{t.today}</h2>
      <p>
        <strong className="amount">{formatMoney(revenue)}</strong> {t.revenue} · {t.todayOrders(orders)}
      </p>
      <svg viewBox={`0 0 ${24 * HOUR_WIDTH} ${HEIGHT + LABELS_HEIGHT + 2}`} role="img" aria-label={t.chart}>
        {hours.map((hour, index) => {
          const height = Math.max(1, (Math.max(0, hour.revenue) / maxRevenue) * HEIGHT);
          const label = t.hour(index, hour.orders, formatMoney(hour.revenue));
          return (
            <rect
              key={label}
              className={hour.revenue > 0 ? 'bar' : 'bar none'}
              x={index * HOUR_WIDTH + 1}
              y={HEIGHT - height}
              width={HOUR_WIDTH - 2}
              height={height}
            >
              <title>{label}</title>
            </rect>
          );
        })}
        {[0, 6, 12, 18].map((hour) => (
          <text key={hour} x={hour * HOUR_WIDTH + 1} y={HEIGHT + LABELS_HEIGHT}>
            {hour}
          </text>
        ))}
      </svg>
    </section>
  );
}
