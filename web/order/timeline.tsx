import type { TimelineEntry } from '../../src/contract/orders.js';
import { HUB, type Role } from '../../src/contract/transitions.js';
import { formatDateTime } from '../clock.js';
import { useTranslations } from '../i18n/language.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import { session } from '../session.js';
import { useStore } from '../store.js';

/** Every change of an order, with who made it. In a shop, several people may work on one. */
export function Timeline({ order, party }: { order: LoadedOrder; party: Role }) {
  const t = useTranslations();
  const { placing } = useOrderPageTexts();
  const userId = useStore(session)?.userId;
  const actorName = (by: string) => (by === HUB ? t.orders.system : by === userId ? t.orders.you : by);
  const timeline = order.timeline ?? [];
  const labelOf = ({ command, status }: TimelineEntry, index: number) => {
    if (command === 'place') return placing;
    const isMove = command === 'pay' || timeline[index - 1]?.status !== status;
    return isMove ? t.statuses[status] : t.amendments[command];
  };
  return (
    <section className="card" aria-label={t.orders.timeline}>
      <h2>{t.orders.timeline}</h2>
      <ol className="timeline" aria-live="polite">
        {timeline.map((entry, index) => {
          const { version, status, by, at } = entry;
          const isCancelled = status === 'cancelled' && timeline[index - 1]?.status !== status;
          return (
            <li key={version} data-status={status}>
              <strong>{labelOf(entry, index)}</strong>
              <span className="quiet">
                {formatDateTime(at)}
                {(by !== userId || party === 'seller') && ` · ${t.orders.by(actorName(by))}`}
              </span>
              {isCancelled && order.cancelReason && <span>{t.orders.reason(order.cancelReason)}</span>}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
