import { isoTime } from '../contract/fields.js';
import type { PaymentProviderName } from '../contract/payments.js';
import { type OrderStatus, type Role, roles } from '../contract/transitions.js';
import type { EntryKind } from '../contract/wallet.js';
import type { OrderClaim, StockAlert, StoreStatus } from '../rooms/batch.record.js';
import { encodeEvent } from '../rooms/event.codec.js';
import { orderEvent } from './order.event.js';
import {
  type AddressRow,
  type AnswerRow,
  type BookRow,
  type BookTextsRow,
  type EntryRow,
  type EventRow,
  type MembershipRow,
  memberOf,
  type NoteRow,
  type OrderRow,
  type OrderTerms,
  type PayoutRow,
  pair,
  type RoomRow,
  type StorePolicy,
  type StoreRow,
  type TopupRow,
  type WalletRow,
} from './rows.js';

/** What a command does to the rows, once its rule has decided it. */
export interface Change {
  /** The order with its new timeline entry, and the status before; null for a new order. */
  order?: { after: OrderRow; previous: OrderStatus | null };
  /** The same of several orders. */
  orders?: readonly NonNullable<Change['order']>[];
  /** An order with its new claim, which is no change of the order. */
  claim?: OrderRow;
  stock?: { book: BookRow; delta: number }[];
  money?: { userId: string; amount: number; kind: EntryKind; orderId: string | null }[];
  /** What the hub holds for sellers. The ledger has no entries for it: it is of balances. */
  held?: { userId: string; amount: number }[];
  /** As they are afterwards. */
  topup?: TopupRow;
  payout?: PayoutRow;
  address?: AddressRow;
  note?: NoteRow;
  /** As it is afterwards; `isTold` if its owner is to hear whether it takes orders. */
  store?: { after: StoreRow; isTold: boolean };
}

/** When the hub acts on an order by itself, in milliseconds; `autoReceiveMs` 0 is never. A new order keeps the terms. */
export interface OrderPolicy extends Omit<OrderTerms, 'acceptWithinMs'> {
  unpaidTtlMs: number;
  autoReceiveMs: number;
  /** Who pays in and out, and in which currency; undefined where anybody may deposit. */
  payments?: { provider: PaymentProviderName; currency: string } | undefined;
  /** Whether an order must say where it is to be delivered. */
  needsAddress: boolean;
}

/** The numbers of the events that a change has caused, by the room's role. */
export type EventNumbers = Partial<Record<Role, number>>;

/**
 * The rows that one batch has loaded and locked. Its commands read and change them in memory, one after another; what they
 * changed is collected in `dirty` and written with one statement a table.
 */
export class UnitOfWork {
  /** By store id: all that orders and stock need to know of a store. */
  readonly stores = new Map<string, StorePolicy>();
  /** Locked, to be changed. */
  readonly changedStores = new Map<string, StoreRow>();
  /** Registered users. */
  readonly users = new Set<string>();
  /** The ids of memberships, by seller and member, of those who act or buy in the batch. */
  readonly memberships = new Map<string, string>();
  /** Those by which somebody acts. */
  readonly acting: (readonly [ownerId: string, userId: string])[] = [];
  readonly books = new Map<string, BookRow>();
  readonly booksByNo = new Map<number, BookRow>();
  readonly texts = new Map<number, BookTextsRow>();
  readonly orders = new Map<string, OrderRow>();
  readonly wallets = new Map<string, WalletRow>();
  readonly rooms = new Map<string, RoomRow>();
  readonly answers = new Map<string, AnswerRow>();
  readonly topups = new Map<string, TopupRow>();
  readonly payouts = new Map<string, PayoutRow>();
  /** The top-ups that the payment provider's events have settled, by event. */
  readonly settledBy = new Map<string, string>();

  readonly dirty = {
    orders: new Map<string, OrderRow>(),
    claims: new Map<string, OrderRow>(),
    stock: new Set<BookRow>(),
    wallets: new Set<WalletRow>(),
    entries: [] as EntryRow[],
    rooms: new Set<RoomRow>(),
    events: [] as EventRow[],
    answers: [] as { row: AnswerRow; text: string }[],
    topups: new Map<string, TopupRow>(),
    payouts: new Map<string, PayoutRow>(),
    addresses: new Map<string, AddressRow>(),
    notes: [] as NoteRow[],
    stores: new Map<string, StoreRow>(),
  };
  readonly stockAlerts: StockAlert[] = [];
  readonly storeStatuses: StoreStatus[] = [];
  readonly claims: OrderClaim[] = [];

  constructor(readonly policy: OrderPolicy) {}

  addBook(book: BookRow): void {
    this.books.set(pair(book.storeId, book.bookId), book);
    this.booksByNo.set(book.bookNo, book);
  }

  addChangedStore(store: StoreRow): void {
    this.changedStores.set(store.storeId, store);
    this.stores.set(store.storeId, store);
  }

  addMembership({ ownerId, userId, membershipId }: MembershipRow, how: 'locked' | 'read'): void {
    this.memberships.set(pair(ownerId, userId), membershipId);
    if (how === 'locked') this.acting.push([ownerId, userId]);
  }

  /** Applies all of a change, and returns the numbers of its events. */
  apply(change: Change, now: number): EventNumbers {
    // A cancellation loads no store: the order's seller owns it.
    const sellerId = change.order?.after.sellerId;
    for (const { book, delta } of change.stock ?? []) this.moveStock(book, delta, now, sellerId);
    for (const movement of change.money ?? []) this.moveMoney(movement, now);
    for (const movement of change.held ?? []) this.moveHeld(movement);
    if (change.topup) this.recordTopup(change.topup);
    if (change.payout) this.recordPayout(change.payout);
    if (change.address) this.dirty.addresses.set(change.address.orderId, change.address);
    if (change.note) this.dirty.notes.push(change.note);
    if (change.store) this.recordStore(change.store, now);
    if (change.claim) this.recordClaim(change.claim);
    let numbers: EventNumbers = {};
    for (const order of change.orders ?? []) numbers = this.recordOrder(order, now);
    return change.order ? this.recordOrder(change.order, now) : numbers;
  }

  /** The same rows as they are once this user is credited: a rule decides on them what the money makes possible. */
  afterCredit(userId: string, amount: number): UnitOfWork {
    const wallet = this.require(this.wallets.get(userId), 'wallet');
    const wallets = new Map(this.wallets).set(userId, { ...wallet, balance: wallet.balance + amount });
    return Object.create(this, { wallets: { value: wallets } });
  }

  /** Keeps the first answer to a key, for this batch and, as `text`, for later ones. */
  recordAnswer(row: AnswerRow, text: string): void {
    this.answers.set(pair(row.userId, row.key), row);
    this.dirty.answers.push({ row, text });
  }

  private moveStock(book: BookRow, delta: number, now: number, sellerId: string | undefined): void {
    const before = book.stock;
    book.stock += delta;
    this.dirty.stock.add(book);
    const passedLowMark = before > book.lowMark && book.stock <= book.lowMark;
    const soldOut = before > 0 && book.stock === 0;
    const ownerId = sellerId ?? this.stores.get(book.storeId)?.ownerId;
    if ((passedLowMark || soldOut) && ownerId !== undefined) {
      const { storeId, bookId, stock } = book;
      this.stockAlerts.push({ ownerId, push: { storeId, bookId, stock, at: isoTime(now) } });
    }
  }

  private moveMoney({ userId, amount, kind, orderId }: NonNullable<Change['money']>[number], at: number): void {
    const wallet = this.require(this.wallets.get(userId), 'wallet');
    wallet.balance += amount;
    wallet.entries += 1;
    wallet.version += 1;
    this.dirty.wallets.add(wallet);
    this.dirty.entries.push({ userId, entryNo: wallet.entries, amount, balance: wallet.balance, kind, orderId, at });
  }

  private moveHeld({ userId, amount }: NonNullable<Change['held']>[number]): void {
    const wallet = this.require(this.wallets.get(userId), 'wallet');
    // The table has no CHECK for it, and no rule gives out more than was held.
    if (wallet.held < -amount) throw new Error('The hub holds less for a seller than one of the orders needs');
    wallet.held += amount;
    wallet.version += 1;
    this.dirty.wallets.add(wallet);
  }

  private recordStore({ after, isTold }: NonNullable<Change['store']>, now: number): void {
    const { storeId, ownerId, version } = after;
    this.addChangedStore(after);
    this.dirty.stores.set(storeId, after);
    if (isTold) {
      const push = { storeId, ...openingOf(after, now), at: isoTime(now) };
      this.storeStatuses.push({ ownerId, version, push });
    }
  }

  private recordClaim(after: OrderRow): void {
    const { orderId, sellerId: ownerId, claimedBy: by, claimedUntil, claims: version } = after;
    this.orders.set(orderId, after);
    this.dirty.claims.set(orderId, after);
    this.claims.push({ ownerId, version, push: { orderId, by, until: isoTime(claimedUntil) } });
  }

  private recordTopup(topup: TopupRow): void {
    this.topups.set(topup.topupId, topup);
    this.dirty.topups.set(topup.topupId, topup);
    if (topup.eventId !== null) this.settledBy.set(topup.eventId, topup.topupId);
  }

  private recordPayout(payout: PayoutRow): void {
    this.payouts.set(payout.payoutId, payout);
    this.dirty.payouts.set(payout.payoutId, payout);
  }

  private recordOrder({ after, previous }: NonNullable<Change['order']>, at: number): EventNumbers {
    this.orders.set(after.orderId, after);
    this.dirty.orders.set(after.orderId, after);
    const numbers: EventNumbers = {};
    const event = orderEvent(after, previous, this.require(after.timeline.at(-1), 'timeline entry'));
    const body = encodeEvent(event);
    for (const role of roles) {
      const userId = memberOf(after, role);
      const room = this.require(this.rooms.get(pair(role, userId)), 'room');
      room.head += 1;
      if (previous !== null) room[previous] -= 1;
      room[after.status] += 1;
      this.dirty.rooms.add(room);
      this.dirty.events.push({ role, userId, push: { role, seq: room.head, ...event }, body, at });
      numbers[role] = room.head;
    }
    if (previous === null) after.number = this.require(numbers.seller, 'number');
    return numbers;
  }

  /** Rules touch only rows that the batch has loaded. A missing one is a fault of the hub and rolls the batch back. */
  private require<Row>(row: Row | undefined, kind: string): Row {
    if (row === undefined) throw new Error(`A ${kind} that a command needs was not loaded`);
    return row;
  }
}

/** Whether a store takes orders at this time, as it is said: a pause that is over is none. */
export function openingOf({ isOpen, pausedUntil }: StorePolicy, now: number) {
  const isPaused = now < (pausedUntil ?? 0);
  return { open: isOpen === 1, pausedUntil: isoTime(isPaused ? pausedUntil : null) };
}

/** All of a user's money: the balance, and what it will grow by. Never beyond `BALANCE_MAX`. */
export function moneyOf(wallet: WalletRow | undefined): number {
  return wallet
    ? wallet.balance + wallet.held
    : /* istanbul ignore next -- every user has a wallet, which the compiler cannot know */ 0;
}
