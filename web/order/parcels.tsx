import type { ReactNode } from 'react';
import type { Order } from '../../src/contract/orders.js';
import { formatTime } from '../clock.js';
import { useOrderPageTexts } from '../i18n/order.page.js';

export type Parcel = Order['parcels'][number];

interface ParcelsProps {
  order: Order;
  /** What its reader may do with a parcel. */
  actions: (parcel: Parcel) => ReactNode;
}

/** What was shipped, and where it is. Nothing, before the first parcel. */
export function Parcels({ order, actions }: ParcelsProps) {
  const t = useOrderPageTexts();
  const titles = new Map(order.items.map(({ bookId, title }) => [bookId, title]));
  if (order.parcels.length === 0) return null;
  return (
    <section className="card parcels" aria-label={t.parcels}>
      <h2>{t.parcels}</h2>
      <ul>
        {order.parcels.map((parcel) => (
          <li key={parcel.parcel}>
            <p>
              <strong>{t.parcel(parcel.parcel)}</strong>{' '}
              <span className="quiet">
                {parcel.receivedAt === null
                  ? t.onItsWay(formatTime(parcel.shippedAt))
                  : t.arrived(formatTime(parcel.receivedAt))}
              </span>
            </p>
            <p>
              {parcel.carrier}{' '}
              {parcel.trackingNo === null ? (
                <span className="quiet">{t.noTracking}</span>
              ) : (
                <span className="tracking">{parcel.trackingNo}</span>
              )}
            </p>
            <p className="quiet">
              {parcel.items.map(({ bookId, count }) => `${count} × ${titles.get(bookId) ?? bookId}`).join(', ')}
            </p>
            {actions(parcel)}
          </li>
        ))}
      </ul>
    </section>
  );
}
