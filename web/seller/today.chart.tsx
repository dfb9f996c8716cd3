import { useEffect } from 'react';
import { money } from '../money.js';
import { useStore } from '../store.js';
import { useWords } from '../words/words.js';
import { startToday, today } from './today.js';

const HOUR_WIDTH = 22;
const HEIGHT = 60;
const HOURS_HEIGHT = 16;

/** Today's orders and revenue: two numbers, and a bar for each hour. */
export function TodayChart() {
  const words = useWords().panel;
  const hours = useStore(today);
  useEffect(startToday, []);
  const most = Math.max(1, ...hours.map(({ revenue }) => revenue));
  const orders = hours.reduce((sum, hour) => sum + hour.orders, 0);
  const revenue = hours.reduce((sum, hour) => sum + hour.revenue, 0);
  return (
    <section className="card today" aria-label={words.today}>
      <h2>{words.today}</h2>
      <p>
        <strong className="amount">{money(revenue)}</strong> {words.revenue} · {words.todayOrders(orders)}
      </p>
      <svg viewBox={`0 0 ${24 * HOUR_WIDTH} ${HEIGHT + HOURS_HEIGHT + 2}`} role="img" aria-label={words.chart}>
        {hours.map((hour, index) => {
          const height = Math.max(1, (Math.max(0, hour.revenue) / most) * HEIGHT);
          const told = words.hour(index, hour.orders, money(hour.revenue));
          return (
            <rect
              key={told}
              className={hour.revenue > 0 ? 'bar' : 'bar none'}
              x={index * HOUR_WIDTH + 1}
              y={HEIGHT - height}
              width={HOUR_WIDTH - 2}
              height={height}
            >
              <title>{told}</title>
            </rect>
          );
        })}
        {[0, 6, 12, 18].map((hour) => (
          <text key={hour} x={hour * HOUR_WIDTH + 1} y={HEIGHT + HOURS_HEIGHT}>
            {hour}
          </text>
        ))}
      </svg>
    </section>
  );
}
