import type { Answer } from '../contract/wire.js';
import { type OrderRow, orderAt, orderView, partyOf } from './order.view.js';

/**
 * The answer that is kept under a key. Of an order that was changed only which of its changes it was: the order's timeline tells the
 * rest, word for word. Everything else is kept as it was said.
 */
type KeptAnswer = Answer<unknown> | OrderChange;
interface OrderChange {
  orderId: string;
  version: number;
  seq?: number;
}

export function writeAnswer(answer: Answer<unknown>): string {
  return JSON.stringify(answer.ok && isOrder(answer.data) ? changeOf(answer.data, answer.seq) : answer);
}

/** Which order must be loaded to say this answer again, if any. */
export function orderOf(kept: string): string | undefined {
  const answer = read(kept);
  return isChange(answer) ? answer.orderId : undefined;
}

/** What the user was told, from what was kept and, where it needs one, the order. */
export function readAnswer(kept: string, userId: string, orders: ReadonlyMap<string, OrderRow>): Answer<unknown> {
  const answer = read(kept);
  if (!isChange(answer)) return answer;
  const { orderId, version, seq } = answer;
  const order = orders.get(orderId);
  const party = order && partyOf(order, userId);
  const change = order?.timeline[version - 1];
  if (!order || !party || !change) throw new Error('An order that a kept answer tells of was not loaded');
  const data = orderView(orderAt(order, version), party, change.at);
  return { ok: true, data, ...(seq === undefined ? {} : { seq }) };
}

function read(kept: string): KeptAnswer {
  // Nobody but the hub writes it.
  return JSON.parse(kept) as KeptAnswer;
}

function isChange(answer: KeptAnswer): answer is OrderChange {
  return !('ok' in answer);
}

function isOrder(data: unknown): data is { orderId: string; version: number } {
  return typeof data === 'object' && data !== null && 'orderId' in data && 'version' in data;
}

function changeOf({ orderId, version }: { orderId: string; version: number }, seq: number | undefined): OrderChange {
  return { orderId, version, ...(seq === undefined ? {} : { seq }) };
}
