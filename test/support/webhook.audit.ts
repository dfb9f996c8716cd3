import { isDeepStrictEqual } from 'node:util';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { CreatedWebhook } from '../../src/contract/webhooks.js';
import { decodeEvent } from '../../src/rooms/event.codec.js';
import type { Books } from './audit.js';
import type { WebhookReceiver } from './webhook.receiver.js';

/**
 * Whether what a receiver has accepted folds to its webhook's room: a line for each kind of fault. Requests may be repeated; by
 * its one integer the receiver has each event of the room once, in order, as it is stored.
 */
export async function deliveryFaults(
  books: Books,
  receiver: WebhookReceiver,
  { webhookId, secret, role, delivered: start }: CreatedWebhook,
  userId: string,
): Promise<string[]> {
  const stored = await storedEvents(books, role, userId);
  const faults: string[] = [];
  let last = start;
  for (const request of receiver.requests) {
    if (!request.id.startsWith(webhookId) || request.id.endsWith('.test')) continue;
    const { events, complete } = request.body;
    const where = `webhook request ${request.id}`;
    try {
      receiver.verify(secret, request);
    } catch (error) {
      faults.push(`bad signature: ${where}: ${error}`);
    }
    if (!events.every(({ seq }, index) => seq === (events[0]?.seq ?? 0) + index))
      faults.push(`gap: ${where}: ${events.map(({ seq }) => seq)}`);
    for (const event of events)
      if (!isDeepStrictEqual(event, stored.get(event.seq))) faults.push(`event differs: ${where}: ${event.seq}`);
    // What is no longer kept may be missing, and is said to be.
    const isKept = complete || stored.has(last + 1);
    if (isKept && Number(events[0]?.seq) > last + 1) faults.push(`gap: ${where}: after ${last}`);
    if (request.accepted) last = Math.max(last, ...events.map(({ seq }) => seq));
  }
  const [row] = await books.rows<{ delivered: number }>('SELECT delivered FROM webhooks WHERE webhook_id = ?', [
    webhookId,
  ]);
  const head = Math.max(0, ...stored.keys());
  if (last < head) faults.push(`lost event: webhook ${webhookId}: the room has ${head} events, the receiver ${last}`);
  if (row && Number(row.delivered) > last)
    faults.push(`moved too far: webhook ${webhookId}: ${row.delivered} of ${last}`);
  if (receiver.overlap > 1) faults.push(`two requests at once: webhook ${webhookId}`);
  return faults;
}

async function storedEvents(
  books: Books,
  role: 'buyer' | 'seller',
  userId: string,
): Promise<Map<number, OrderStatusPush>> {
  const rows = await books.rows<{ seq: number; body: string }>(
    'SELECT seq, body FROM room_events WHERE role = ? AND user_id = ? ORDER BY seq',
    [role, userId],
  );
  return new Map(rows.map(({ seq, body }) => [Number(seq), decodeEvent(role, Number(seq), body)]));
}
