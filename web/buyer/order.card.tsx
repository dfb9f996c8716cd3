import { memo } from 'react';
import { formatDateTime } from '../clock.js';
import { StatusBadge } from '../components/status.badge.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { formatMoney } from '../money.js';
import { orderName } from '../orders.js';
import { linkTo } from '../route.js';
import { useStoreName } from '../store.names.js';
import { OrderActions } from './order.actions.js';

/** An order in a list, with what its buyer can do now. Memoized: a change of one order must not render thousands. */
export const OrderCard = memo(function OrderCard({ order }: { order: LoadedOrder }) {
  const t = useTranslations();
  const store = useStoreName(order.storeId);
  const titles = order.items.map(({ title, count }) => (count > 1 ? `${title} ×${count}` : title)).join(', ');
  return (
    <li>
      <article className="card order">
        <header>
          <a href={linkTo('orders', order.orderId)}>{t.orders.order(orderName(order))}</a>
          <StatusBadge status={order.status} />
        </header>
        <p className="titles">{titles}</p>
        <p className="meta">
          <span className="quiet">
            {formatDateTime(order.placedAt)} · {store}
          </span>
          <strong className="amount">{formatMoney(order.total)}</strong>
        </p>
        <OrderActions order={order} />
      </article>
    </li>
  );
});
