import type { OrderStatus } from '../../src/contract/lifecycle.js';
import { useWords } from '../words/words.js';

/** The status of an order, as a stamp on it. */
export function Stamp({ status }: { status: OrderStatus }) {
  return <span className={`stamp stamp-${status}`}>{useWords().statuses[status]}</span>;
}
