import type { OrderItem } from '../commands/rows.js';
import { normalizeForSearch, wordsOf } from '../stores/search.normalizer.js';

/** What a search compares of an order. `items` and `timeline`, which has the tracking numbers of its parcels, are JSON. */
export const searchedColumns = {
  ...{ orderId: 'order_id', number: 'number', buyerId: 'buyer_id', sellerId: 'seller_id' },
  ...{ trackingNo: 'tracking_no', items: 'items', timeline: 'timeline' },
};
export interface Searched {
  orderId: string;
  number: number | null;
  buyerId: string;
  sellerId: string;
  trackingNo: string | null;
  items: string;
  timeline: string;
}

/** What the text of a search can mean. */
export interface Meanings {
  text: string;
  number: number | undefined;
  /** The end of an id, in its own letter case. */
  idEnd: string | undefined;
  /** Parts of words, all of which a title has. */
  words: readonly string[];
}

export function meaningsOf(q: string): Meanings {
  const text = q.trim();
  return {
    text,
    number: /^[1-9]\d{0,15}$/.test(text) ? Number(text) : undefined,
    idEnd: /^[0-9a-f-]{2,36}$/i.test(text) ? text.toLowerCase() : undefined,
    words: wordsOf(normalizeForSearch(text)),
  };
}

/** Whether an order is one that the text means, to a user who is not this other party. */
export function isMeant({ text, number, idEnd, words }: Meanings, order: Searched, userId: string): boolean {
  const other = order.buyerId === userId ? order.sellerId : order.buyerId;
  if (text === other || text === order.trackingNo || (number !== undefined && number === order.number)) return true;
  if (order.timeline.includes(`"trackingNo":${JSON.stringify(text)}`)) return true;
  if (idEnd !== undefined && order.orderId.endsWith(idEnd)) return true;
  const items: OrderItem[] = JSON.parse(order.items);
  return words.length > 0 && items.some(({ title }) => hasAll(normalizeForSearch(title), words));
}

function hasAll(normalized: string, words: readonly string[]): boolean {
  return words.every((word) => normalized.includes(word));
}
