import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { type BookTextsRow, bookView } from '../commands/book.view.js';
import { Refusal } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import {
  type AddBookRequest,
  type BookRequest,
  type BookView,
  type ChangeBookRequest,
  LOW_MARK_DEFAULT,
  type OpenStoreRequest,
  type SearchRequest,
  type StoresRequest,
  type StoreView,
} from '../contract/stores.js';
import { chunks, Database, type Tx } from '../platform/database.js';
import { pageOf } from '../platform/paging.js';
import { BookSearch } from './book.search.js';
import { fold, gramsOf } from './fold.js';
import { Book, BookGram, BookStock, BookTexts, Store } from './store.entity.js';

/** Stores and what is on their shelves. Stock changes only by commands. */
@Injectable()
export class StoresService {
  constructor(
    private readonly database: Database,
    private readonly search: BookSearch,
  ) {}

  async open(ownerId: string, { storeId, name }: OpenStoreRequest): Promise<StoreView> {
    const store = { storeId, name: name ?? null, ownerId, createdAt: Date.now() };
    await this.database.transaction((tx) => tx.insert(Store, store), { taken: new Refusal('STORE_EXISTS') });
    return storeView(store);
  }

  async store(storeId: string): Promise<StoreView> {
    return storeView(await this.findStore(this.database.read, storeId));
  }

  async stores({ owner, after, limit = PAGE_LIMIT_DEFAULT }: StoresRequest): Promise<Page<StoreView>> {
    const query = this.database.read
      .createQueryBuilder(Store, 'store')
      .orderBy('store.storeId')
      .limit(limit + 1);
    if (owner !== undefined) query.andWhere('store.ownerId = :owner', { owner });
    if (after !== undefined) query.andWhere('store.storeId > :after', { after });
    const rows = await query.getMany();
    return pageOf(rows, limit, storeView, ({ storeId }) => storeId);
  }

  async addBook(
    ownerId: string,
    { storeId, bookId, title, price, stock, lowMark = LOW_MARK_DEFAULT, ...texts }: AddBookRequest,
  ): Promise<BookView> {
    await this.ownStore(ownerId, storeId);
    const book = { storeId, bookId, title, price, lowMark };
    const insert = async (tx: Tx) => {
      const { bookNo } = await this.insertBook(tx, book);
      const row = withSearchTexts(title, { bookNo, ...textsRow(texts, EMPTY_TEXTS) });
      await tx.insert(BookTexts, row);
      await tx.insert(BookStock, { bookNo, stock });
      await this.index(tx, bookNo, new Set(), gramsOfBook(row));
      return row;
    };
    const taken = new Refusal('BOOK_EXISTS', undefined, { bookId });
    const row = await this.database.transaction(insert, { taken });
    return bookView({ ...book, bookNo: row.bookNo, stock }, row);
  }

  async changeBook(
    ownerId: string,
    { storeId, bookId, title, price, lowMark, ...texts }: ChangeBookRequest,
  ): Promise<BookView> {
    await this.ownStore(ownerId, storeId);
    return this.database.transaction(async (tx) => {
      const book = await this.findBook(tx, { storeId, bookId }, true);
      const before = await tx.findOneByOrFail(BookTexts, { bookNo: book.bookNo });
      Object.assign(book, { title: title ?? book.title, price: price ?? book.price, lowMark: lowMark ?? book.lowMark });
      const after = withSearchTexts(book.title, { bookNo: book.bookNo, ...textsRow(texts, before) });
      await tx.update(Book, { bookNo: book.bookNo }, { title: book.title, price: book.price, lowMark: book.lowMark });
      await tx.update(BookTexts, { bookNo: book.bookNo }, after);
      await this.index(tx, book.bookNo, gramsOfBook(before), gramsOfBook(after));
      const { stock } = await tx.findOneByOrFail(BookStock, { bookNo: book.bookNo });
      return bookView({ ...book, stock }, after);
    });
  }

  async book(request: BookRequest): Promise<BookView> {
    await this.findStore(this.database.read, request.storeId);
    const { bookNo } = await this.findBook(this.database.read, request);
    const [book] = await this.describe([bookNo]);
    if (!book) throw new Refusal('BOOK_NOT_FOUND', undefined, { bookId: request.bookId });
    return book;
  }

  async books(request: SearchRequest): Promise<Page<BookView>> {
    if (request.storeId !== undefined) await this.findStore(this.database.read, request.storeId);
    const { limit = PAGE_LIMIT_DEFAULT } = request;
    const found = await this.search.find(request);
    const page = found.slice(0, limit);
    return { items: await this.describe(page), next: found.length > limit ? String(page.at(-1)) : null };
  }

  /** The books of these numbers, in this order. */
  private async describe(bookNos: number[]): Promise<BookView[]> {
    if (bookNos.length === 0) return [];
    const { read } = this.database;
    const where = { bookNo: In(bookNos) };
    const [books, texts, stocks] = await Promise.all([
      read.findBy(Book, where),
      read.findBy(BookTexts, where),
      read.findBy(BookStock, where),
    ]);
    const textsByNo = new Map(texts.map((row) => [row.bookNo, row]));
    const stockByNo = new Map(stocks.map((row) => [row.bookNo, row.stock]));
    const views = new Map(
      books.map((book) => [
        book.bookNo,
        bookView(
          { ...book, stock: stockByNo.get(book.bookNo) ?? 0 },
          textsByNo.get(book.bookNo) ?? { bookNo: book.bookNo, ...EMPTY_TEXTS },
        ),
      ]),
    );
    return bookNos.flatMap((bookNo) => views.get(bookNo) ?? []);
  }

  private async findStore(tx: Tx, storeId: string): Promise<Store> {
    const store = await tx.findOneBy(Store, { storeId });
    if (!store) throw new Refusal('STORE_NOT_FOUND');
    return store;
  }

  private async ownStore(ownerId: string, storeId: string): Promise<void> {
    const store = await this.findStore(this.database.read, storeId);
    if (store.ownerId !== ownerId) throw new Refusal('FORBIDDEN');
  }

  private async findBook(tx: Tx, { storeId, bookId }: BookRequest, lock = false): Promise<Book> {
    const query = tx.createQueryBuilder(Book, 'book').where({ storeId, bookId });
    if (lock && !this.database.dialect.singleWriter) query.setLock('pessimistic_write');
    const book = await query.getOne();
    if (!book) throw new Refusal('BOOK_NOT_FOUND', undefined, { bookId });
    return book;
  }

  private async insertBook(tx: Tx, book: Omit<Book, 'bookNo' | 'store'>): Promise<{ bookNo: number }> {
    const { identifiers } = await tx.insert(Book, book);
    return { bookNo: Number(identifiers[0]?.bookNo) };
  }

  /** Brings the search index from one set of grams to another. */
  private async index(tx: Tx, bookNo: number, before: Set<string>, after: Set<string>): Promise<void> {
    const gone = [...before].filter((gram) => !after.has(gram));
    const come = [...after].filter((gram) => !before.has(gram)).sort();
    for (const grams of chunks(gone, CHUNK)) await tx.delete(BookGram, { bookNo, gram: In(grams) });
    for (const grams of chunks(come, CHUNK)) {
      const rows = grams.map((gram) => [gram, bookNo]);
      await tx.query(...this.database.dialect.write({ table: 'book_grams', columns: ['gram', 'book_no'], rows }));
    }
  }
}

type Texts = Pick<AddBookRequest, 'author' | 'publisher' | 'isbn' | 'tags' | 'summary' | 'coverUrl' | 'details'>;
type StoredTexts = Omit<BookTextsRow, 'bookNo'>;
type SearchTexts = Pick<BookTexts, 'foldedTitle' | 'foldedAuthor' | 'foldedTags' | 'foldedSummary'>;

const EMPTY_TEXTS: StoredTexts = {
  author: null,
  publisher: null,
  isbn: null,
  tags: null,
  summary: null,
  coverUrl: null,
  details: null,
};
const CHUNK = 1_000;

function textsRow(
  { author, publisher, isbn, tags, summary, coverUrl, details }: Texts,
  before: StoredTexts,
): StoredTexts {
  return {
    author: author ?? before.author,
    publisher: publisher ?? before.publisher,
    isbn: isbn ?? before.isbn,
    tags: tags === undefined ? before.tags : JSON.stringify(tags),
    summary: summary ?? before.summary,
    coverUrl: coverUrl ?? before.coverUrl,
    details: details === undefined ? before.details : JSON.stringify(details),
  };
}

function withSearchTexts(title: string, texts: BookTextsRow): BookTextsRow & SearchTexts {
  const tags: string[] = texts.tags === null ? [] : JSON.parse(texts.tags);
  return {
    ...texts,
    foldedTitle: fold(title),
    foldedAuthor: fold(texts.author ?? ''),
    foldedTags: fold(tags.join('\n')),
    foldedSummary: fold(texts.summary ?? ''),
  };
}

function gramsOfBook({ foldedTitle, foldedAuthor, foldedTags, foldedSummary }: SearchTexts): Set<string> {
  return gramsOf([foldedTitle, foldedAuthor, foldedTags, foldedSummary].join('\n'));
}

function storeView({ storeId, name, ownerId, createdAt }: Omit<Store, 'owner'>): StoreView {
  return { storeId, name, ownerId, createdAt: isoTime(createdAt) };
}
