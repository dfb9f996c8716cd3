import { isoTime } from '../contract/fields.js';
import { type OrderStatus, type Role, roles } from '../contract/lifecycle.js';
import type { BookStockPush, OrderStatusPush } from '../contract/rooms.js';
import type { EntryKind } from '../contract/wallet.js';
import type { Answer } from '../contract/wire.js';
import { type EventBody, writeBody } from '../rooms/event.body.js';
import type { BookRow, BookTextsRow } from './book.view.js';
import { memberOf, type OrderRow } from './order.view.js';

/** What a command does, decided and not yet done. A refusal is the other thing that a rule can give, and does nothing. */
export interface Change {
  order?: { after: OrderRow; previous: OrderStatus | null; by: string };
  stock?: { book: BookRow; by: number }[];
  money?: { userId: string; amount: number; kind: EntryKind; orderId: string | null }[];
}

export interface WalletRow {
  userId: string;
  balance: number;
  entries: number;
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
export interface RoomRow {
  role: Role;
  userId: string;
  head: number;
}
/** An event of a room, numbered: what is stored, and what its sockets are sent. */
export interface EventRow {
  role: Role;
  userId: string;
  push: OrderStatusPush;
  body: string;
  at: number;
}
export interface AnswerRow {
  userId: string;
  key: string;
  messageHash: string;
  answer: Answer<unknown>;
}
export interface StockAlert {
  ownerId: string;
  push: BookStockPush;
}

/** Ids hold no control characters, so a line break parts them safely. */
export function pair(first: string, second: string): string {
  return `${first}\n${second}`;
}

/**
 * The rows that one batch has loaded and locked, as its commands see and change them one after another. What was changed
 * is noted beside the rows, to be saved in sets.
 */
export class World {
  /** Owners of stores, by store. */
  readonly stores = new Map<string, string>();
  /** Users who are registered. */
  readonly users = new Set<string>();
  readonly books = new Map<string, BookRow>();
  readonly booksByNo = new Map<number, BookRow>();
  readonly texts = new Map<number, BookTextsRow>();
  readonly orders = new Map<string, OrderRow>();
  readonly wallets = new Map<string, WalletRow>();
  readonly rooms = new Map<string, RoomRow>();
  readonly answers = new Map<string, AnswerRow>();

  readonly changed = {
    orders: new Map<string, OrderRow>(),
    stock: new Set<BookRow>(),
    wallets: new Set<WalletRow>(),
    entries: [] as EntryRow[],
    rooms: new Set<RoomRow>(),
    events: [] as EventRow[],
    answers: [] as AnswerRow[],
  };
  readonly stockAlerts: StockAlert[] = [];

  constructor(readonly rules: { unpaidTtlMs: number; autoReceiveMs: number }) {}

  addBook(book: BookRow): void {
    this.books.set(pair(book.storeId, book.bookId), book);
    this.booksByNo.set(book.bookNo, book);
  }

  /** Does what was decided, all of it. Gives the numbers of the events that tell of it, by role. */
  apply(change: Change, now: number): Partial<Record<Role, number>> {
    for (const { book, by } of change.stock ?? []) this.moveStock(book, by, now);
    for (const movement of change.money ?? []) this.moveMoney(movement, now);
    return change.order ? this.recordOrder(change.order, now) : {};
  }

  remember(answer: AnswerRow): void {
    this.answers.set(pair(answer.userId, answer.key), answer);
    this.changed.answers.push(answer);
  }

  private moveStock(book: BookRow, by: number, now: number): void {
    const before = book.stock;
    book.stock += by;
    this.changed.stock.add(book);
    const passedLowMark = before > book.lowMark && book.stock <= book.lowMark;
    const soldOut = before > 0 && book.stock === 0;
    const ownerId = this.stores.get(book.storeId);
    if ((passedLowMark || soldOut) && ownerId !== undefined) {
      const { storeId, bookId, stock } = book;
      this.stockAlerts.push({ ownerId, push: { storeId, bookId, stock, at: isoTime(now) } });
    }
  }

  private moveMoney({ userId, amount, kind, orderId }: NonNullable<Change['money']>[number], at: number): void {
    const wallet = this.need(this.wallets.get(userId), 'wallet');
    wallet.balance += amount;
    wallet.entries += 1;
    this.changed.wallets.add(wallet);
    this.changed.entries.push({ userId, entryNo: wallet.entries, amount, balance: wallet.balance, kind, orderId, at });
  }

  private recordOrder(
    { after, previous, by }: NonNullable<Change['order']>,
    at: number,
  ): Partial<Record<Role, number>> {
    this.orders.set(after.orderId, after);
    this.changed.orders.set(after.orderId, after);
    const numbers: Partial<Record<Role, number>> = {};
    const told = eventBody(after, previous, by, at);
    const body = writeBody(told);
    for (const role of roles) {
      const userId = memberOf(after, role);
      const room = this.need(this.rooms.get(pair(role, userId)), 'room');
      room.head += 1;
      this.changed.rooms.add(room);
      this.changed.events.push({ role, userId, push: { role, seq: room.head, ...told }, body, at });
      numbers[role] = room.head;
    }
    return numbers;
  }

  /** Rules only touch rows that the batch has loaded; a missing one is a fault of the hub, and undoes the batch. */
  private need<Row>(row: Row | undefined, kind: string): Row {
    if (row === undefined) throw new Error(`A ${kind} that a command needs was not loaded`);
    return row;
  }
}

function eventBody(order: OrderRow, previous: OrderStatus | null, by: string, at: number): EventBody {
  const { orderId, version, status, storeId, buyerId, sellerId, total, carrier, trackingNo, cancelReason } = order;
  return {
    orderId,
    version,
    status,
    previous,
    storeId,
    buyerId,
    sellerId,
    total,
    by,
    at: isoTime(at),
    ...(carrier === null ? {} : { carrier }),
    ...(trackingNo === null ? {} : { trackingNo }),
    ...(cancelReason === null ? {} : { cancelReason }),
  };
}
