import type { PaymentProviderName, PayoutStatus, TopupStatus } from '../contract/payments.js';
import type { OrderStatusPush } from '../contract/rooms.js';
import type { ChangeCommand, OrderStatus, Role, Settlement } from '../contract/transitions.js';
import type { EntryKind } from '../contract/wallet.js';
import type { Answer } from '../contract/wire.js';

/** The rows that commands share, as a batch has them in memory. Times are epoch milliseconds, money is in minor units. */
export interface OrderItem {
  bookNo: number;
  bookId: string;
  title: string;
  count: number;
  price: number;
}

/** One change of an order. Applied one after another, its entries turn the placed order into the current one. */
export interface TimelineEntry {
  version: number;
  status: OrderStatus;
  command: ChangeCommand;
  by: string;
  at: number;
  /** What it set besides the status and its time. */
  changes?: OrderChanges;
}

export type OrderChanges = Partial<Pick<OrderRow, 'carrier' | 'trackingNo' | 'cancelReason' | keyof OrderTerms>> & {
  /** The number of the note that came with the change. Its text is in `order_notes` only. */
  note?: number;
  lines?: LineChanges;
  /** When the order will be ready, as its seller said. */
  readyAt?: number;
  /** Copies that left the shelf with a cancellation, because the store had run out of the book. */
  withdrawn?: { bookNo: number; copies: number }[];
};

/** Copies of an order: of which lines, by index, and how many of each. */
export type Copies = [line: number, count: number][];

/** What a change did to the lines and parcels of its order. Missing where it was all: the copies left, the parcels on their way. */
export interface LineChanges {
  /** The copies that were shipped, cancelled or paid back. */
  copies?: Copies;
  /** When the hub receives the parcel that was shipped; null if it never does. */
  dueAt?: number | null;
  /** The parcels that were received, or the one whose tracking was changed. */
  parcels?: number[];
  /** What was given back, in minor units. */
  money?: number;
  /** The copies that a refund put back into stock. */
  restocked?: Copies;
  /** The reason of a refund. */
  reason?: string;
}

/**
 * The settings under which an order was placed, whatever the hub's are later. They are the changes of its first timeline entry, where
 * they are not the defaults.
 */
export interface OrderTerms {
  settleAt: Settlement;
  /** How long after paying the hub cancels what is not shipped, in milliseconds; 0 is never. */
  shipWithinMs: number;
  /** The same for what is not accepted. It is the store's setting; 0 also where orders are accepted by themselves. */
  acceptWithinMs: number;
}

export const defaultTerms: OrderTerms = { settleAt: 'paid', shipWithinMs: 0, acceptWithinMs: 0 };

export interface OrderRow extends OrderTerms {
  orderId: string;
  storeId: string;
  buyerId: string;
  sellerId: string;
  status: OrderStatus;
  version: number;
  total: number;
  items: OrderItem[];
  timeline: TimelineEntry[];
  placedAt: number;
  expiresAt: number;
  paidAt: number | null;
  shippedAt: number | null;
  receivedAt: number | null;
  cancelledAt: number | null;
  /** When the hub acts by itself: at `expiresAt`, at `acceptBy` or `shipBy`, or a while after shipping; null when it never will. */
  dueAt: number | null;
  carrier: string | null;
  trackingNo: string | null;
  cancelReason: string | null;
  /** The number of its first event in the seller's room; null for orders of earlier releases. */
  number: number | null;
  /** Who of the seller's side has claimed it last, until when, and how often it was claimed or freed. */
  claimedBy: string | null;
  claimedUntil: number | null;
  claims: number;
}

/** Who may act for a seller. */
export interface MembershipRow {
  ownerId: string;
  userId: string;
  membershipId: string;
}

/** Who owns a store, and whether and how it takes orders. */
export interface StorePolicy {
  ownerId: string;
  /** 1 or 0, as its column. */
  isOpen: number;
  /** It takes no orders until then; a time that is past means nothing. */
  pausedUntil: number | null;
  acceptWithinSeconds: number;
}

/** A store as a command changes it. */
export interface StoreRow extends StorePolicy {
  storeId: string;
  name: string | null;
  createdAt: number;
  /** Grows with every change of the row. */
  version: number;
}

export interface BookRow {
  bookNo: number;
  storeId: string;
  bookId: string;
  title: string;
  price: number;
  lowMark: number;
  /** 1 or 0, as its column: 0 cannot be ordered. */
  listed: number;
  stock: number;
}

export interface BookTextsRow {
  bookNo: number;
  author: string | null;
  publisher: string | null;
  isbn: string | null;
  tags: string | null;
  summary: string | null;
  coverUrl: string | null;
  details: string | null;
}

export interface WalletRow {
  userId: string;
  balance: number;
  /** What buyers have paid for orders that are not received yet. */
  held: number;
  entries: number;
  /** Grows with every change of the row. */
  version: number;
}

export interface EntryRow {
  userId: string;
  entryNo: number;
  amount: number;
  balance: number;
  kind: EntryKind;
  orderId: string | null;
  at: number;
}

/** Money on its way into a wallet. `url` and `reference` are the provider's, and written outside of batches. */
export interface TopupRow {
  topupId: string;
  userId: string;
  orderId: string | null;
  amount: number;
  currency: string;
  provider: PaymentProviderName;
  status: TopupStatus;
  /** The provider's event that settled it; unique, so that no event has two effects. */
  eventId: string | null;
  createdAt: number;
  settledAt: number | null;
  /** When to ask the provider how it stands; null once that is known. */
  dueAt: number | null;
}

/** Money on its way out of a wallet that was debited already. */
export interface PayoutRow {
  payoutId: string;
  userId: string;
  amount: number;
  currency: string;
  provider: PaymentProviderName;
  status: PayoutStatus;
  createdAt: number;
  settledAt: number | null;
  /** When to ask the provider for it, again; null once it has answered. */
  dueAt: number | null;
}

/** What people wrote into an order. Each has a row of its own, which nothing copies. */
export interface AddressRow {
  orderId: string;
  /** JSON. */
  deliverTo: string;
}

export interface NoteRow {
  orderId: string;
  no: number;
  userId: string;
  text: string;
  at: number;
}

/** A room, with the number of its user's orders by status. */
export interface RoomRow extends Record<OrderStatus, number> {
  role: Role;
  userId: string;
  head: number;
}

/** A numbered event of a room: what is stored, and what its sockets receive. */
export interface EventRow {
  role: Role;
  userId: string;
  push: OrderStatusPush;
  body: string;
  at: number;
}

/** The first answer to a key: word for word, or a reference from which the command's handler builds it again. */
export type StoredAnswer = { answer: Answer<unknown> } | { reference: object };

export interface AnswerRow {
  userId: string;
  key: string;
  messageHash: string;
  stored: StoredAnswer;
}

/** A key made of two ids. Ids hold no control characters, so a line break separates them safely. */
export function pair(first: string, second: string): string {
  return `${first}\n${second}`;
}

export function distinctPairs(pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [...new Map(pairs.map((both) => [pair(...both), both])).values()];
}

export function memberOf(order: Pick<OrderRow, 'buyerId' | 'sellerId'>, role: Role): string {
  return role === 'buyer' ? order.buyerId : order.sellerId;
}
