import type { Books } from './audit.js';

interface Entry {
  status: string;
  command?: string;
  by: string;
  at: number;
  changes?: { acceptWithinMs?: number; shipWithinMs?: number };
}

/**
 * Checks the orders that are to be accepted: each is accepted in time or cancelled at its time, and never both. Shares no code with
 * the hub's rules. A text of a user's has its quotes escaped in a timeline.
 */
export async function acceptanceFaults(books: Books): Promise<string[]> {
  const orders = await books.rows<{ orderId: string; status: string; dueAt: number | null; timeline: string }>(
    `SELECT order_id AS orderId, status, due_at AS dueAt, timeline FROM orders WHERE timeline LIKE '%"acceptWithinMs":%'`,
  );
  return orders.flatMap(({ orderId, status, dueAt, timeline }) => {
    const fault = faultOf(JSON.parse(timeline) as Entry[], status, dueAt === null ? null : Number(dueAt));
    return fault === undefined ? [] : [`${fault}: order ${orderId}: ${timeline}`];
  });
}

function faultOf(timeline: readonly Entry[], status: string, dueAt: number | null): string | undefined {
  const { acceptWithinMs = 0, shipWithinMs = 0 } = timeline[0]?.changes ?? {};
  const paidAt = timeline.find((entry) => entry.status === 'paid')?.at;
  if (paidAt === undefined) return undefined;
  const acceptBy = paidAt + acceptWithinMs;
  // Shipping accepts, a part of the order too.
  const accepts = ({ command = '', status: becomes }: Entry) =>
    ['accept', 'ship'].includes(command) || becomes === 'shipped';
  const acceptedAt = timeline.find(accepts)?.at;
  if (acceptedAt !== undefined && acceptedAt >= acceptBy) return 'an order was accepted too late';
  const times = [...(acceptedAt === undefined ? [acceptBy] : []), ...(shipWithinMs > 0 ? [paidAt + shipWithinMs] : [])];
  const deadline = times.length === 0 ? null : Math.min(...times);
  // A parcel on its way has a time of its own.
  const hasParcels = timeline.some(({ command }) => command === 'ship');
  if (status === 'paid' && !hasParcels && dueAt !== deadline) return 'an order’s alarm is not its deadline';
  const ended = timeline.find((entry) => entry.status === 'cancelled' && entry.by === 'hub');
  if (ended && (deadline === null || ended.at < deadline)) return 'the hub cancelled a paid order that was in time';
  return undefined;
}
