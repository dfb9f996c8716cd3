import type { OrderStatus } from '../../src/contract/transitions.js';
import { useTranslations } from '../i18n/language.js';

/** The status of an order, drawn as a rubber stamp. */
export function StatusBadge({ status }: { status: OrderStatus }) {
  return <span className={`status-badge status-badge-${status}`}>{useTranslations().statuses[status]}</span>;
}
