import { newKey } from '../src/client/again.js';
import { HubError } from '../src/client/connect.js';
import type { Order } from '../src/contract/orders.js';
import type { BookView } from '../src/contract/stores.js';
import { ask, hub } from './hub.js';
import { ordersOf } from './orders.js';
import { keptStore, Store } from './store.js';

interface CartLine {
  book: Pick<BookView, 'storeId' | 'bookId' | 'title' | 'author' | 'price' | 'coverUrl'>;
  count: number;
}

/** What will be one order: an order is of one store. */
export interface Basket {
  storeId: string;
  /**
   * The key of the order that this becomes. It stays with an unchanged basket across page loads, so that a person who
   * presses again after a crash of the browser gets the one order; an answer, or a change, uses it up.
   */
  key: string;
  lines: CartLine[];
}

export const cart = keptStore<Basket[]>('cart', []);
/** The stores whose baskets are being ordered: none is ordered again before it is known what became of it. */
export const placing = new Store<ReadonlySet<string>>(new Set());

export function totalOf({ lines }: Basket): number {
  return lines.reduce((total, { book, count }) => total + book.price * count, 0);
}

export function countOf(baskets: Basket[]): number {
  return baskets.flatMap(({ lines }) => lines).reduce((sum, { count }) => sum + count, 0);
}

export function addToCart({ storeId, bookId, title, author, price, coverUrl }: BookView): void {
  const lines = linesOf(storeId);
  const there = lines.find(({ book }) => book.bookId === bookId);
  if (there) {
    setCount(storeId, bookId, there.count + 1);
    return;
  }
  const book = {
    ...{ storeId, bookId, title, price },
    ...(author === undefined ? {} : { author }),
    ...(coverUrl === undefined ? {} : { coverUrl }),
  };
  setLines(storeId, [...lines, { book, count: 1 }]);
}

/** No copies is taking the book out. */
export function setCount(storeId: string, bookId: string, count: number): void {
  const changed = linesOf(storeId).map((line) => (line.book.bookId === bookId ? { ...line, count } : line));
  setLines(
    storeId,
    changed.filter((line) => line.count > 0),
  );
}

/** Orders a basket: at the total that was shown, or not at all. */
export async function placeBasket(basket: Basket): Promise<Order> {
  const { storeId, key, lines } = basket;
  const items = lines.map(({ book, count }) => ({ bookId: book.bookId, count }));
  placing.change((before) => new Set(before).add(storeId));
  try {
    const order = await hub().place({ storeId, items, expectedTotal: totalOf(basket) }, { key });
    ordersOf.buyer.keep(order);
    takeOut(basket);
    return order;
  } catch (error) {
    // Whoever was logged out meanwhile has no answer: the key is still that of the one order.
    if (!(error instanceof HubError) || !unanswered.includes(error.code)) await readPrices(basket);
    throw error;
  } finally {
    placing.change((before) => new Set([...before].filter((other) => other !== storeId)));
  }
}

const unanswered: readonly HubError['code'][] = ['CLOSED', 'UNAUTHENTICATED'];

/** What was ordered. Something else may have come into the basket meanwhile. */
function takeOut({ storeId, lines: ordered }: Basket): void {
  const left = linesOf(storeId).map((line) => {
    const taken = ordered.find(({ book }) => book.bookId === line.book.bookId)?.count ?? 0;
    return { ...line, count: line.count - taken };
  });
  setLines(
    storeId,
    left.filter(({ count }) => count > 0),
  );
}

/** Shows the prices of now; whoever presses again has seen them. */
async function readPrices({ storeId, lines }: Basket): Promise<void> {
  const prices = new Map<string, number>();
  await Promise.all(
    lines.map(async ({ book }) => {
      const { bookId } = book;
      const { price } = await ask('book', { storeId, bookId }).catch(() => book);
      prices.set(bookId, price);
    }),
  );
  const read = linesOf(storeId).map((line) => {
    const price = prices.get(line.book.bookId) ?? line.book.price;
    return { ...line, book: { ...line.book, price } };
  });
  setLines(storeId, read);
}

function linesOf(storeId: string): CartLine[] {
  return cart.get().find((basket) => basket.storeId === storeId)?.lines ?? [];
}

function setLines(storeId: string, lines: CartLine[]): void {
  const basket = { storeId, lines, key: newKey() };
  cart.change((baskets) => {
    const there = baskets.some((other) => other.storeId === storeId);
    const next = there ? baskets.map((other) => (other.storeId === storeId ? basket : other)) : [...baskets, basket];
    return next.filter((other) => other.lines.length > 0);
  });
}
