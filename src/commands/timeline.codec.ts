import { type ChangeCommand, commandInto, type OrderStatus } from '../contract/transitions.js';
import type { OrderChanges, OrderRow, TimelineEntry } from './rows.js';

/** An entry without its command where status and actor tell it: as earlier releases stored all of them. */
type StoredEntry = Omit<TimelineEntry, 'command'> & { command?: ChangeCommand };

export function encodeTimeline(timeline: readonly TimelineEntry[]): string {
  const stored = (entry: TimelineEntry) =>
    entry.command === commandInto(entry) ? { ...entry, command: undefined } : entry;
  return JSON.stringify(timeline.map(stored));
}

/** What a change sets in the order's row, or as its terms. The rest is the entry's own. */
export function rowChanges(all: OrderChanges = {}) {
  const { note: _, lines: _lines, readyAt: _ready, withdrawn: _withdrawn, ...changes } = all;
  return changes;
}

type RowOfTimeline = Pick<OrderRow, 'carrier' | 'trackingNo' | 'cancelReason'> & { timeline: string };

/**
 * The entries of a stored order. Those of earlier releases get what only the row says of them; with the order's next change they
 * are stored so, hence before anything else can change the row.
 */
export function decodeTimeline(row: RowOfTimeline): TimelineEntry[] {
  return (JSON.parse(row.timeline) as StoredEntry[]).map((entry) => {
    const { version, status, command = commandInto(entry), by, at } = entry;
    const changes = entry.changes ?? earlierChanges(row, status, command);
    return { version, status, command, by, at, ...(changes ? { changes } : {}) };
  });
}

/** Shipping and ending an order store their changes since 1.1, also where they set nothing. */
function earlierChanges(
  { carrier, trackingNo, cancelReason }: RowOfTimeline,
  status: OrderStatus,
  command: ChangeCommand,
): OrderChanges | undefined {
  if (command === 'ship') return { carrier, trackingNo };
  const endsIt = status === 'cancelled' && (command === 'cancel' || command === 'timeout');
  return endsIt ? { cancelReason } : undefined;
}
