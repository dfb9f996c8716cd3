import '../style/order.css';
import type { Order } from '../../src/contract/orders.js';
import type { Role } from '../../src/contract/transitions.js';
import { useTranslations } from '../i18n/language.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import { formatMoney } from '../money.js';
import { linkTo } from '../route.js';

export type OrderLine = Order['items'][number];

/** Copies that are neither shipped nor cancelled. */
export function leftOf({ count, shipped, cancelled }: OrderLine): number {
  return count - shipped - cancelled;
}

/** What was ordered, what has become of each line, and the money. */
export function OrderLines({ order, party }: { order: Order; party: Role }) {
  const t = useTranslations().orders;
  const page = useOrderPageTexts();
  return (
    <section className="card" aria-label={page.items}>
      <h2>{page.items}</h2>
      <ul className="items">
        {order.items.map((line) => (
          <li key={line.bookId}>
            <span className="what">
              <a href={linkTo('book', order.storeId, line.bookId)}>{line.title}</a>
              <Fate line={line} isPaid={order.status === 'paid'} />
            </span>
            <span className="quiet">{`${line.count} × ${formatMoney(line.price)}`}</span>
            <span>{formatMoney(line.count * line.price)}</span>
          </li>
        ))}
      </ul>
      <p className="total">
        {t.total} <strong>{formatMoney(order.total)}</strong>
      </p>
      {order.refunded > 0 && (
        <p className="total refunded">
          {page.refundedTo[party]} <strong>{formatMoney(-order.refunded)}</strong>
        </p>
      )}
    </section>
  );
}

/** Nothing for a line whose copies all wait. */
function Fate({ line, isPaid }: { line: OrderLine; isPaid: boolean }) {
  const t = useOrderPageTexts();
  const { shipped, cancelled, refunded } = line;
  const parts = [
    shipped > 0 && t.shipped(shipped),
    cancelled > 0 && t.cancelled(cancelled),
    refunded > 0 && t.refundedCopies(refunded),
    isPaid && shipped + cancelled > 0 && leftOf(line) > 0 && t.left(leftOf(line)),
  ].filter((part) => part !== false);
  return parts.length === 0 ? null : <small className="quiet">{parts.join(' · ')}</small>;
}
