import { roles } from '../contract/lifecycle.js';
import type { Condition } from '../platform/among.js';
import type { Tx } from '../platform/database.js';
import type { Dialect } from '../platform/dialect.js';
import { type BookRow, type BookTextsRow, bookTextColumns } from './book.view.js';
import type { Command } from './command.js';
import { orderOf, readAnswer } from './kept.answer.js';
import { orderColumns } from './order.columns.js';
import type { OrderEntity } from './order.entity.js';
import { isOrderId, memberOf, type OrderRow, orderRow } from './order.view.js';
import { type AnswerRow, pair, type RoomRow, type WalletRow, type World } from './world.js';

/**
 * Loads and locks every row that the commands of a batch touch, in one fixed order (keys, orders, stock, balances, rooms),
 * so that two hubs never wait for each other in a circle. One statement a kind of row, however many commands there are;
 * a kind that none of them needs is left out.
 */
export async function load(tx: Tx, dialect: Dialect, commands: readonly Command[], world: World): Promise<void> {
  await new Loader(tx, dialect, commands, world).load();
}

type BookColumns = Omit<BookRow, 'stock'>;
const bookColumns =
  'book_no AS bookNo, books.store_id AS storeId, book_id AS bookId, title, price, low_mark AS lowMark';

type KeptRow = Omit<AnswerRow, 'answer'> & { answer: string };

class Loader {
  constructor(
    private readonly tx: Tx,
    private readonly dialect: Dialect,
    private readonly commands: readonly Command[],
    private readonly world: World,
  ) {}

  /** What is asked for together is on its way at once, and done in that order; what comes after it needs the answers. */
  async load(): Promise<void> {
    const [kept] = await Promise.all([this.answers(), this.orders(), this.books()]);
    await Promise.all([this.keptAnswers(kept), this.booksGivenBack(), this.stores()]);
    // Users last, and without a lock of their own: who unregisters takes the locks above first, so it is the truth until commit.
    await Promise.all([this.texts(), this.stock(), this.wallets(), this.rooms(), this.users()]);
  }

  private async answers(): Promise<KeptRow[]> {
    const keys = this.commands.flatMap(({ by, key }): [string, string][] =>
      by !== null && key ? [[by, key.text]] : [],
    );
    const sql = 'SELECT user_id AS userId, idem_key AS `key`, message_hash AS messageHash, answer FROM command_answers';
    return this.selectPairs<KeptRow>(sql, ['user_id', 'idem_key'], keys);
  }

  /** The orders that the commands are about. */
  private async orders(): Promise<void> {
    const ids = this.commands.flatMap(({ request }) =>
      'orderId' in request && isOrderId(request.orderId) ? [request.orderId] : [],
    );
    await this.selectOrders(ids);
  }

  /** Reads kept answers, and besides, without locks, the orders that they tell of: what was told of an order never changes. */
  private async keptAnswers(kept: readonly KeptRow[]): Promise<void> {
    const told = kept.flatMap(({ answer }) => orderOf(answer) ?? []);
    await this.selectOrders(
      told.filter((orderId) => !this.world.orders.has(orderId)),
      '',
    );
    for (const row of kept) {
      const answer = readAnswer(row.answer, row.userId, this.world.orders);
      this.world.answers.set(pair(row.userId, row.key), { ...row, answer });
    }
  }

  private async selectOrders(ids: readonly string[], lock?: string): Promise<void> {
    const rows = await this.selectOf<OrderEntity>(`SELECT ${orderColumns} FROM orders`, 'order_id', ids, lock);
    for (const row of rows) this.world.orders.set(row.orderId, orderRow(row));
  }

  /** The stores that none of the books was found in. */
  private async stores(): Promise<void> {
    const ids = this.commands.flatMap(({ request }) =>
      'storeId' in request && !this.world.stores.has(request.storeId) ? [request.storeId] : [],
    );
    const sql = 'SELECT store_id AS storeId, owner_id AS ownerId FROM stores';
    const rows = await this.selectOf<{ storeId: string; ownerId: string }>(sql, 'store_id', ids, '');
    for (const { storeId, ownerId } of rows) this.world.stores.set(storeId, ownerId);
  }

  /** The books of orders to place and of stock to change, and who owns their stores: those never change hands, and need no lock. */
  private async books(): Promise<void> {
    const wanted = this.commands.flatMap(({ name, request }): [string, string][] => {
      if (name === 'order:place') return request.items.map(({ bookId }) => [request.storeId, bookId]);
      return name === 'stock:add' ? [[request.storeId, request.bookId]] : [];
    });
    const sql = `SELECT ${bookColumns}, owner_id AS ownerId FROM books JOIN stores ON stores.store_id = books.store_id`;
    const columns = ['books.store_id', 'book_id'] as const;
    const rows = await this.selectPairs<BookColumns & { ownerId: string }>(sql, columns, wanted, '');
    for (const book of rows) {
      this.world.stores.set(book.storeId, book.ownerId);
      this.addBook(book);
    }
  }

  /** The books that cancelled orders give back, by their numbers. */
  private async booksGivenBack(): Promise<void> {
    const numbers = this.ordersThat('order:cancel', 'order:due').flatMap(({ items }) =>
      items.map(({ bookNo }) => bookNo),
    );
    const rows = await this.selectOf<BookColumns>(`SELECT ${bookColumns} FROM books`, 'book_no', numbers, '');
    for (const book of rows) this.addBook(book);
  }

  private addBook({ bookNo, storeId, bookId, title, price, lowMark }: BookColumns): void {
    if (this.world.booksByNo.has(bookNo)) return;
    this.world.addBook({ bookNo, storeId, bookId, title, price, lowMark, stock: 0 });
  }

  /** What else is said of the books whose stock changes. */
  private async texts(): Promise<void> {
    const numbers = this.commands.flatMap(({ name, request }) => {
      const book = name === 'stock:add' ? this.world.books.get(pair(request.storeId, request.bookId)) : undefined;
      return book ? [book.bookNo] : [];
    });
    const sql = `SELECT book_no AS bookNo, ${bookTextColumns} FROM book_texts`;
    const rows = await this.selectOf<BookTextsRow>(sql, 'book_no', numbers, '');
    for (const row of rows) this.world.texts.set(row.bookNo, row);
  }

  private async stock(): Promise<void> {
    const sql = 'SELECT book_no AS bookNo, stock FROM book_stock';
    const numbers = [...this.world.booksByNo.keys()];
    const rows = await this.selectOf<{ bookNo: number; stock: number }>(sql, 'book_no', numbers);
    for (const { bookNo, stock } of rows) {
      const book = this.world.booksByNo.get(bookNo);
      /* istanbul ignore else -- only the stock of these books was asked for, which the compiler cannot know */
      if (book) book.stock = stock;
    }
  }

  private async wallets(): Promise<void> {
    const owners = this.commands.flatMap(({ name, by }) => (name.startsWith('wallet:') && by !== null ? [by] : []));
    const parties = this.ordersThat('order:pay', 'order:cancel').flatMap(({ buyerId, sellerId }) => [
      buyerId,
      sellerId,
    ]);
    const sql = 'SELECT user_id AS userId, balance, entries FROM wallets';
    const rows = await this.selectOf<WalletRow>(sql, 'user_id', [...owners, ...parties]);
    for (const row of rows) this.world.wallets.set(row.userId, row);
  }

  private async rooms(): Promise<void> {
    const members = this.commands.flatMap(({ name, by, request }): [string, string][] => {
      if (name === 'order:place') {
        const ownerId = this.world.stores.get(request.storeId);
        return ownerId === undefined || by === null
          ? []
          : [
              ['buyer', by],
              ['seller', ownerId],
            ];
      }
      const order = 'orderId' in request ? this.world.orders.get(request.orderId) : undefined;
      return order ? roles.map((role) => [role, memberOf(order, role)]) : [];
    });
    const sql = 'SELECT role, user_id AS userId, head FROM rooms';
    const rows = await this.selectPairs<RoomRow>(sql, ['role', 'user_id'], members);
    for (const row of rows) this.world.rooms.set(pair(row.role, row.userId), row);
  }

  private async users(): Promise<void> {
    const ids = [...this.commands.flatMap(({ by }) => (by === null ? [] : [by])), ...this.world.stores.values()];
    const sql = 'SELECT user_id AS userId FROM users';
    const rows = await this.selectOf<{ userId: string }>(sql, 'user_id', ids, ' AND unregistered_at IS NULL');
    for (const { userId } of rows) this.world.users.add(userId);
  }

  private ordersThat(...names: Command['name'][]): OrderRow[] {
    return this.commands.flatMap(({ name, request }) => {
      const order = names.includes(name) && 'orderId' in request ? this.world.orders.get(request.orderId) : undefined;
      return order ? [order] : [];
    });
  }

  /** The rows that hold one of these values. */
  private async selectOf<Row>(
    sql: string,
    column: string,
    values: readonly (string | number)[],
    ending?: string,
  ): Promise<Row[]> {
    const distinct = [...new Set(values)];
    return distinct.length === 0 ? [] : this.select(sql, this.dialect.among.values(column, distinct), ending);
  }

  /** The rows that hold one of these pairs. */
  private async selectPairs<Row>(
    sql: string,
    columns: readonly [string, string],
    pairs: readonly [string, string][],
    ending?: string,
  ): Promise<Row[]> {
    const distinct = [...new Map(pairs.map((both) => [pair(...both), both])).values()];
    return distinct.length === 0 ? [] : this.select(sql, this.dialect.among.pairs(columns, distinct), ending);
  }

  /** Unless told otherwise, each row is locked. */
  private select<Row>(sql: string, [where, parameters]: Condition, ending = this.dialect.forUpdate): Promise<Row[]> {
    return this.tx.query(`${sql} WHERE ${where}${ending}`, parameters);
  }
}
