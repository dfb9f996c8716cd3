import {
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';

@Entity('stores')
@Index('stores_by_owner', ['ownerId', 'storeId'])
export class Store {
  @PrimaryColumn('varchar', { length: 64 })
  storeId!: string;

  @Column('varchar', { length: 500, nullable: true })
  name!: string | null;

  @Column('varchar', { length: 64 })
  ownerId!: string;

  // By table name: a feature does not import another's entity.
  @ManyToOne('users', { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'fk_stores_owner' })
  owner!: unknown;

  @Column('bigint')
  createdAt!: number;

  /** How long paid orders wait to be accepted; 0 if they need not be. */
  @Column('bigint', { default: 0 })
  acceptWithinSeconds!: number;

  /** 0 while it takes no orders until it is opened. */
  @Column('bigint', { default: 1 })
  isOpen!: number;

  /** It takes no orders until then, in epoch milliseconds; a time that is past means nothing. */
  @Column('bigint', { nullable: true })
  pausedUntil!: number | null;

  /** Counts the changes: of two states, the one with the higher version is the later. */
  @Column('bigint', { default: 0 })
  version!: number;
}

/** The part of a book that placing an order reads. `bookNo` is assigned by the hub, and orders lists. */
@Entity('books')
@Index('books_by_id', ['storeId', 'bookId'], { unique: true })
@Index('books_by_store', ['storeId', 'bookNo'])
@Index('books_by_listing', ['listed', 'bookNo'])
@Index('books_by_store_listing', ['storeId', 'listed', 'bookNo'])
export class Book {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  bookNo!: number;

  @Column('varchar', { length: 64 })
  storeId!: string;

  @ManyToOne(() => Store, { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' })
  @JoinColumn({ name: 'store_id', foreignKeyConstraintName: 'fk_books_store' })
  store!: Relation<Store>;

  @Column('varchar', { length: 64 })
  bookId!: string;

  @Column('varchar', { length: 500 })
  title!: string;

  @Column('bigint')
  price!: number;

  @Column('bigint')
  lowMark!: number;

  /** Written to lock the row: see row.lock.ts. */
  @Column('bigint', { nullable: true, select: false })
  version?: number | null;

  /** 0 if it is in no list and cannot be ordered. */
  @Column('bigint', { default: 1 })
  listed!: number;
}

/** The rest of a book, which orders do not read. The folded columns are normalized for search. */
@Entity('book_texts')
@Index('book_texts_by_isbn', ['isbnPlain'])
export class BookTexts {
  @PrimaryColumn('bigint')
  bookNo!: number;

  @ManyToOne(() => Book, { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' })
  @JoinColumn({ name: 'book_no', foreignKeyConstraintName: 'fk_book_texts_book' })
  book!: Relation<Book>;

  @Column('varchar', { length: 300, nullable: true })
  author!: string | null;

  @Column('varchar', { length: 300, nullable: true })
  publisher!: string | null;

  @Column('varchar', { length: 32, nullable: true })
  isbn!: string | null;

  @Column('text', { nullable: true })
  tags!: string | null;

  @Column('text', { nullable: true })
  summary!: string | null;

  @Column('text', { nullable: true })
  coverUrl!: string | null;

  @Column('text', { nullable: true })
  details!: string | null;

  @Column('text')
  foldedTitle!: string;

  @Column('text')
  foldedAuthor!: string;

  @Column('text')
  foldedTags!: string;

  @Column('text')
  foldedSummary!: string;

  /** The ISBN without hyphens and spaces, for the search; null for other texts. */
  @Column('varchar', { length: 32, nullable: true })
  isbnPlain!: string | null;
}

/** Copies in stock. A separate table, because every order of the book locks and writes this row. */
@Entity('book_stock')
export class BookStock {
  @PrimaryColumn('bigint')
  bookNo!: number;

  @Column('bigint')
  stock!: number;
}

/** The search index: trigrams, shorter at the end of a word, and the books that contain them. */
@Entity('book_grams')
export class BookGram {
  @PrimaryColumn('varchar', { length: 3 })
  gram!: string;

  @PrimaryColumn('bigint')
  bookNo!: number;
}
