import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type FindOptionsSelect, In, Repository } from 'typeorm';
import { CommandQueue } from '../commands/command.queue.js';
import { HubError } from '../contract/errors.js';
import { PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import {
  type AddBookRequest,
  type AddStockRequest,
  type BookRequest,
  type BookView,
  type ChangeBookRequest,
  LOW_MARK_DEFAULT,
  type SearchRequest,
} from '../contract/stores.js';
import type { Answer } from '../contract/wire.js';
import type { Caller, ClientInfo } from '../platform/caller.js';
import { chunks, Database, type Tx } from '../platform/database/database.js';
import { lockMembership } from '../platform/database/membership.lock.js';
import { PageReader } from '../platform/database/page.reader.js';
import { lockRows } from '../platform/database/row.lock.js';
import { presentBook } from './book.presenter.js';
import { BookSearch } from './book.search.js';
import { EMPTY_TEXTS, gramsOfBook, textsOf } from './book.texts.js';
import { PRESENTED_COLUMNS, type Shelf } from './search.queries.js';
import { Book, BookGram, BookStock, BookTexts } from './store.entity.js';
import { StoresService } from './stores.service.js';

const INDEX_ROWS_MAX = 1_000;
/** Stores of one owner in which a title is looked for. */
const SEARCHED_STORES_MAX = 20;
/** Not the columns for the search, which repeat the summary. */
const PRESENTED_TEXTS = {
  bookNo: true,
  author: true,
  publisher: true,
  isbn: true,
  tags: true,
  summary: true,
  coverUrl: true,
  details: true,
} satisfies FindOptionsSelect<BookTexts>;

/** Who changes a shelf. */
type Actor = Pick<Caller, 'userId' | 'acting'>;

/** The books on the shelves of stores. Their stock changes by commands only. */
@Injectable()
export class BooksService {
  constructor(
    private readonly database: Database,
    private readonly commands: CommandQueue,
    private readonly stores: StoresService,
    private readonly search: BookSearch,
    private readonly pages: PageReader,
    @InjectRepository(Book) private readonly books: Repository<Book>,
    @InjectRepository(BookTexts) private readonly texts: Repository<BookTexts>,
    @InjectRepository(BookStock) private readonly stock: Repository<BookStock>,
    @InjectRepository(BookGram) private readonly grams: Repository<BookGram>,
  ) {}

  async add(
    caller: Actor,
    { storeId, bookId, title, price, stock, lowMark = LOW_MARK_DEFAULT, ...request }: AddBookRequest,
  ): Promise<BookView> {
    await this.stores.requireOwner(storeId, caller);
    const book = { storeId, bookId, title, price, lowMark, listed: 1 };
    const insert = async (tx: Tx) => {
      await lockMembership(tx, caller);
      const { identifiers } = await tx.withRepository(this.books).insert(book);
      const bookNo = Number(identifiers[0]?.bookNo);
      const texts = textsOf({ bookNo, title }, request, EMPTY_TEXTS);
      await tx.withRepository(this.texts).insert(texts);
      await tx.withRepository(this.stock).insert({ bookNo, stock });
      await this.index(tx, bookNo, new Set(), gramsOfBook(texts));
      return texts;
    };
    const onDuplicate = new HubError('BOOK_EXISTS', undefined, { bookId });
    const texts = await this.database.transaction(insert, { userId: caller.userId, onDuplicate });
    return presentBook({ ...book, bookNo: texts.bookNo, stock }, texts);
  }

  async change(
    caller: Actor,
    { storeId, bookId, title, price, lowMark, listed, ...request }: ChangeBookRequest,
  ): Promise<BookView> {
    await this.stores.requireOwner(storeId, caller);
    const update = async (tx: Tx) => {
      await lockMembership(tx, caller);
      const [books, texts] = [tx.withRepository(this.books), tx.withRepository(this.texts)];
      await lockRows(tx, 'books', { store_id: storeId, book_id: bookId });
      const book = await this.findOne(books, { storeId, bookId });
      const { bookNo } = book;
      const before = await texts.findOneByOrFail({ bookNo });
      const changed = {
        title: title ?? book.title,
        price: price ?? book.price,
        lowMark: lowMark ?? book.lowMark,
        listed: listed === undefined ? book.listed : Number(listed),
      };
      const after = textsOf({ bookNo, title: changed.title }, request, before);
      await books.update({ bookNo }, changed);
      await texts.update({ bookNo }, after);
      await this.index(tx, bookNo, gramsOfBook(before), gramsOfBook(after));
      const { stock } = await tx.withRepository(this.stock).findOneByOrFail({ bookNo });
      return presentBook({ ...book, ...changed, stock }, after);
    };
    return this.database.transaction(update, { userId: caller.userId });
  }

  addStock(caller: Caller, request: AddStockRequest): Promise<Answer<BookView>> {
    return this.commands.submit('stock:add', caller.userId, request, caller);
  }

  async get(request: BookRequest): Promise<BookView> {
    await this.stores.find(request.storeId);
    const { bookNo } = await this.findOne(this.books, request);
    const [book] = await this.read([bookNo]);
    if (!book) throw new HubError('BOOK_NOT_FOUND', undefined, { bookId: request.bookId });
    return book;
  }

  /** The listed books of one store or of all, searched or whole, in the order in which they were added. */
  list(client: ClientInfo, request: SearchRequest): Promise<Page<BookView>> {
    return this.find(client, request);
  }

  /** All books of a store, for its owner to take along. */
  exportOf(client: ClientInfo, request: SearchRequest): Promise<Page<BookView>> {
    return this.find(client, { ...request, withUnlisted: true });
  }

  private async find({ readKey }: ClientInfo, request: SearchRequest & Shelf): Promise<Page<BookView>> {
    if (request.storeId !== undefined) await this.stores.find(request.storeId);
    const { limit = PAGE_LIMIT_DEFAULT } = request;
    const rows = await this.search.measure(await this.search.find(readKey, request), PRESENTED_COLUMNS);
    return this.pages.read({ readKey, rows, limit, read: (bookNos) => this.read(bookNos), cursorOf: String });
  }

  /** Whether a title in one of the owner's stores has these words or parts of words; true where it has too many stores to look. */
  async hasTitle(readKey: string, ownerId: string, q: string): Promise<boolean> {
    const { items, next } = await this.stores.list({ owner: ownerId, limit: SEARCHED_STORES_MAX });
    if (next !== null) return true;
    for (const { storeId } of items) {
      const found = await this.search.find(readKey, { storeId, q, field: 'title', limit: 1 });
      if (found.length > 0) return true;
    }
    return false;
  }

  /** The books of these numbers, in this order. */
  private async read(bookNos: number[]): Promise<BookView[]> {
    if (bookNos.length === 0) return [];
    const where = { bookNo: In(bookNos) };
    const [books, texts, stocks] = await Promise.all([
      this.books.findBy(where),
      this.texts.find({ where, select: PRESENTED_TEXTS }),
      this.stock.findBy(where),
    ]);
    const textsByNo = new Map(texts.map((row) => [row.bookNo, row]));
    const stockByNo = new Map(stocks.map((row) => [row.bookNo, row.stock]));
    const views = new Map(
      books.map((book) => [
        book.bookNo,
        presentBook(
          { ...book, stock: stockByNo.get(book.bookNo) ?? 0 },
          textsByNo.get(book.bookNo) ?? { bookNo: book.bookNo, ...EMPTY_TEXTS },
        ),
      ]),
    );
    return bookNos.flatMap((bookNo) => views.get(bookNo) ?? []);
  }

  private async findOne(books: Repository<Book>, { storeId, bookId }: BookRequest): Promise<Book> {
    const book = await books.findOneBy({ storeId, bookId });
    if (!book) throw new HubError('BOOK_NOT_FOUND', undefined, { bookId });
    return book;
  }

  /** Changes the search index from one set of grams to another. */
  private async index(tx: Tx, bookNo: number, before: Set<string>, after: Set<string>): Promise<void> {
    const removed = [...before].filter((gram) => !after.has(gram));
    const added = [...after].filter((gram) => !before.has(gram)).sort();
    for (const some of chunks(removed, INDEX_ROWS_MAX)) {
      await tx.withRepository(this.grams).delete({ bookNo, gram: In(some) });
    }
    for (const some of chunks(added, INDEX_ROWS_MAX)) {
      const rows = some.map((gram) => [gram, bookNo]);
      await tx.query(...this.database.dialect.write({ table: 'book_grams', columns: ['gram', 'book_no'], rows }));
    }
  }
}
