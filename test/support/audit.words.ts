import type { Books } from './audit.js';

interface StoredNote {
  orderId: string;
  no: number;
  userId: string;
  at: number;
}
interface Entry {
  command?: string;
  by: string;
  at: number;
  changes?: { note?: number };
}

/**
 * Checks that what people wrote into orders agrees with their timelines: notes are numbered 1, 2, 3 … without a gap, each with the
 * entry of its change. Once words may have been `erased`, entries may be left without theirs.
 */
export async function wordFaults(books: Books, erased: boolean): Promise<string[]> {
  const lost = await books.rows<{ orderId: string }>(
    `SELECT order_id AS orderId FROM order_addresses WHERE order_id NOT IN (SELECT order_id FROM orders)
     UNION ALL SELECT order_id FROM order_notes WHERE order_id NOT IN (SELECT order_id FROM orders)`,
  );
  const faults = lost.map(({ orderId }) => `words of no order: ${orderId}`);
  const notes = new Map<string, StoredNote[]>();
  const stored = await books.rows<StoredNote>(
    'SELECT order_id AS orderId, note_no AS no, user_id AS userId, at FROM order_notes ORDER BY order_id, note_no',
  );
  for (const note of stored) notes.set(note.orderId, [...(notes.get(note.orderId) ?? []), note]);
  const orders = await books.rows<{ orderId: string; timeline: string }>(
    `SELECT order_id AS orderId, timeline FROM orders
     WHERE timeline LIKE '%"note":%' OR order_id IN (SELECT order_id FROM order_notes)`,
  );
  for (const { orderId, timeline } of orders) {
    faults.push(...notesFaults(orderId, JSON.parse(timeline) as Entry[], notes.get(orderId) ?? [], erased));
  }
  const addressed = await books.rows<{ orderId: string }>(
    `SELECT order_id AS orderId FROM orders WHERE timeline LIKE '%"command":"readdress"%'
     AND order_id NOT IN (SELECT order_id FROM order_addresses)`,
  );
  if (!erased) faults.push(...addressed.map(({ orderId }) => `an address is lost: order ${orderId}`));
  return faults;
}

function notesFaults(orderId: string, timeline: readonly Entry[], notes: readonly StoredNote[], erased: boolean) {
  const faults: string[] = [];
  const written = timeline.filter(({ command, changes }) => changes?.note !== undefined || command === 'note');
  if (written.some(({ changes }, index) => changes?.note !== index + 1)) {
    faults.push(`notes are not numbered in order: order ${orderId}: ${JSON.stringify(written)}`);
  }
  for (const { no, userId, at } of notes) {
    const entry = written[no - 1];
    if (entry?.by === userId && entry.at === Number(at)) continue;
    faults.push(`a note without its timeline entry: order ${orderId}, note ${no} of ${userId}`);
  }
  if (!erased && notes.length < written.length) {
    faults.push(`a note is lost: order ${orderId} has ${notes.length} of ${written.length}`);
  }
  return faults;
}
