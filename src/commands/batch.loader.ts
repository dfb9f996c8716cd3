import { orderStatuses } from '../contract/transitions.js';
import type { Tx } from '../platform/database/database.js';
import type { Dialect } from '../platform/database/dialect.js';
import type { BatchMode } from './batch.patience.js';
import type { HeldRows } from './held.rows.js';
import { decodeAnswer, replayOf } from './idempotency.record.js';
import { loadMembers, lockMemberships } from './membership.loader.js';
import { orderColumns, parseOrder, type StoredOrder } from './order.columns.js';
import { loadPayments } from './payment.loader.js';
import { RowLocker } from './row.locker.js';
import { type HandledCommand, Keys, namesOf, type RowName } from './row.names.js';
import { type AnswerRow, type BookTextsRow, distinctPairs, pair, type RoomRow, type WalletRow } from './rows.js';
import { loadBooks, loadBooksByNo, loadStores, lockStores } from './store.loader.js';
import type { UnitOfWork } from './unit.of.work.js';

/**
 * Loads and locks every row that the commands of a batch need, always in the order keys, memberships, payments, orders, stores, stock, wallets,
 * rooms, so that two hubs cannot deadlock. It takes one statement for each kind of row, however many commands there are, and none for a
 * kind that no command needs. Returns the indexes of the commands that must wait, and what each of them needs that another
 * client holds; the rows of all others are locked.
 */
export async function load(
  tx: Tx,
  dialect: Dialect,
  commands: readonly HandledCommand[],
  unit: UnitOfWork,
  held: HeldRows,
  mode: BatchMode,
): Promise<ReadonlyMap<number, RowName>> {
  return new Loader(tx, dialect, commands, unit, held, mode).load();
}

const textsSql =
  'SELECT book_no AS bookNo, author, publisher, isbn, tags, summary, cover_url AS coverUrl, details FROM book_texts';

type AnswerColumns = Omit<AnswerRow, 'stored'> & { answer: string };

class Loader {
  private readonly locker: RowLocker;
  /** Those that are not set aside. */
  private commands: readonly HandledCommand[];
  private readonly setAside = new Map<number, RowName>();

  constructor(
    private readonly tx: Tx,
    private readonly dialect: Dialect,
    private readonly all: readonly HandledCommand[],
    private readonly unit: UnitOfWork,
    private readonly held: HeldRows,
    private readonly mode: BatchMode,
  ) {
    this.commands = all;
    this.locker = new RowLocker(tx, dialect, held, mode);
  }

  /** Statements of one `Promise.all` are sent together and executed in that order; those after it need their rows. */
  async load(): Promise<ReadonlyMap<number, RowName>> {
    this.leaveOutHeld();
    const first = this.named();
    await Promise.all([
      this.answers(),
      lockMemberships(this.dialect, this.locker, this.commands, this.unit),
      loadPayments(this.tx, this.dialect, this.locker, first, this.unit),
      this.orders(first.of('orders')),
      lockStores(this.dialect, this.locker, first.of('changedStores'), this.unit),
      loadBooks(this.tx, this.dialect, first.of('books'), this.unit),
    ]);
    this.leaveOutHeld();
    const named = this.setAside.size === 0 ? first : this.named();
    const related = new Keys(
      this.commands.map(({ command, handler }) => handler.relatedKeys?.(this.unit, command) ?? {}),
    );
    await Promise.all([
      this.replayed(),
      loadBooksByNo(this.tx, this.dialect, related.of('bookNos'), this.unit),
      loadStores(this.tx, this.dialect, named.of('stores'), this.unit),
    ]);
    // Members and users come last and unlocked: adding a member locks the seller's room and unregistering takes the locks above
    // first, so this stays true until the commit.
    await Promise.all([
      this.texts(related.of('texts')),
      this.stock(),
      this.wallets([...named.of('wallets'), ...related.of('wallets')]),
      this.rooms(related.of('rooms')),
      loadMembers(this.tx, this.dialect, related.of('members'), this.unit),
      this.users([...named.of('users'), ...related.of('users')]),
    ]);
    this.leaveOutHeld();
    return this.setAside;
  }

  private named(): Keys {
    return new Keys(this.commands.map(({ command, handler }) => handler.keys(command)));
  }

  /** Sets commands aside that need what is held, and with each of them its user's later commands. */
  private leaveOutHeld(): void {
    if (this.locker.missed.size === 0 && this.held.isEmpty) return;
    const isHeld = (name: RowName) =>
      this.locker.missed.has(name) || (this.mode !== 'trial' && this.held.isClosed(name));
    const users = new Map<string, RowName>();
    this.commands = this.all.filter((handled, index) => {
      if (this.setAside.has(index)) return false;
      const { actorId } = handled.command;
      const name = (actorId === null ? undefined : users.get(actorId)) ?? namesOf(handled, this.unit).find(isHeld);
      if (name === undefined) return true;
      if (actorId !== null) users.set(actorId, name);
      this.setAside.set(index, name);
      return false;
    });
  }

  private async answers(): Promise<void> {
    const keys = this.commands.flatMap(({ command: { actorId, key } }): [string, string][] =>
      actorId !== null && key ? [[actorId, key.text]] : [],
    );
    const columns = 'user_id AS userId, idem_key AS `key`, message_hash AS messageHash, answer';
    const rows = await this.lockPairs<AnswerColumns>(
      'command_answers',
      columns,
      ['user_id', 'idem_key'],
      keys,
      ({ userId, key }) => pair(userId, key),
    );
    for (const { answer, ...row } of rows) {
      this.unit.answers.set(pair(row.userId, row.key), { ...row, stored: decodeAnswer(answer) });
    }
  }

  /** The orders that stored answers refer to, unless they are loaded anyway. */
  private replayedOrders(): string[] {
    return this.commands.flatMap(({ command: { actorId, key }, handler }) => {
      const row = actorId !== null && key ? this.unit.answers.get(pair(actorId, key.text)) : undefined;
      if (!row || row.messageHash !== key?.messageHash || !('reference' in row.stored)) return [];
      return replayOf(handler)
        .orderIds(row.stored.reference)
        .filter((orderId) => !this.unit.orders.has(orderId));
    });
  }

  private async orders(ids: readonly string[]): Promise<void> {
    this.addOrders(await this.lockOf<StoredOrder>('orders', orderColumns, 'order_id', ids, ({ orderId }) => orderId));
  }

  private async replayed(): Promise<void> {
    const sql = `SELECT ${orderColumns} FROM orders`;
    this.addOrders(await this.selectOf<StoredOrder>(sql, 'order_id', this.replayedOrders()));
  }

  private addOrders(rows: readonly StoredOrder[]): void {
    for (const row of rows) this.unit.orders.set(row.orderId, parseOrder(row));
  }

  private async texts(numbers: readonly number[]): Promise<void> {
    const rows = await this.selectOf<BookTextsRow>(textsSql, 'book_no', numbers);
    for (const row of rows) this.unit.texts.set(row.bookNo, row);
  }

  private async stock(): Promise<void> {
    const rows = await this.lockOf<{ bookNo: number; stock: number }>(
      'book_stock',
      'book_no AS bookNo, stock',
      'book_no',
      [...this.unit.booksByNo.keys()],
      ({ bookNo }) => String(bookNo),
    );
    for (const { bookNo, stock } of rows) {
      const book = this.unit.booksByNo.get(bookNo);
      /* istanbul ignore else -- the statement names these books only, which the compiler cannot know */
      if (book) book.stock = stock;
    }
  }

  private async wallets(userIds: readonly string[]): Promise<void> {
    const columns = 'user_id AS userId, balance, held, entries, COALESCE(version, 0) AS version';
    const rows = await this.lockOf<WalletRow>('wallets', columns, 'user_id', userIds, ({ userId }) => userId);
    for (const row of rows) this.unit.wallets.set(row.userId, row);
  }

  private async rooms(keys: readonly (readonly [string, string])[]): Promise<void> {
    const columns = `role, user_id AS userId, head, ${orderStatuses.join(', ')}`;
    const rows = await this.lockPairs<RoomRow>('rooms', columns, ['role', 'user_id'], keys, ({ role, userId }) =>
      pair(role, userId),
    );
    for (const row of rows) this.unit.rooms.set(pair(row.role, row.userId), row);
  }

  private async users(named: readonly string[]): Promise<void> {
    const actors = this.commands.flatMap(({ command: { actorId } }) => (actorId === null ? [] : [actorId]));
    const sql = 'SELECT user_id AS userId FROM users';
    const owners = [...this.unit.stores.values()].map(({ ownerId }) => ownerId);
    const ids = [...actors, ...named, ...owners];
    const rows = await this.selectOf<{ userId: string }>(sql, 'user_id', ids, ' AND unregistered_at IS NULL');
    for (const { userId } of rows) this.unit.users.add(userId);
  }

  private async selectOf<Row>(
    sql: string,
    column: string,
    values: readonly (string | number)[],
    ending = '',
  ): Promise<Row[]> {
    const distinct = [...new Set(values)];
    if (distinct.length === 0) return [];
    const [where, parameters] = this.dialect.inCondition.values(column, distinct);
    return this.tx.query(`${sql} WHERE ${where}${ending}`, parameters);
  }

  private lockOf<Row>(
    table: string,
    columns: string,
    column: string,
    values: readonly (string | number)[],
    keyOfRow: (row: Row) => string,
  ): Promise<Row[]> {
    const where = (some: readonly (string | number)[]) => this.dialect.inCondition.values(column, some);
    return this.locker.select({ table, columns, values: [...new Set(values)], where, keyOf: String, keyOfRow });
  }

  private lockPairs<Row>(
    table: string,
    columns: string,
    keyColumns: readonly [string, string],
    pairs: readonly (readonly [string, string])[],
    keyOfRow: (row: Row) => string,
  ): Promise<Row[]> {
    const where = (some: readonly (readonly [string, string])[]) => this.dialect.inCondition.pairs(keyColumns, some);
    const keyOf = (both: readonly [string, string]) => pair(...both);
    return this.locker.select({ table, columns, values: distinctPairs(pairs), where, keyOf, keyOfRow });
  }
}
