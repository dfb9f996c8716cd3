import type { BookTextsRow } from '../commands/rows.js';
import type { AddBookRequest } from '../contract/stores.js';
import { gramsOf, normalizeForSearch, plainIsbn } from './search.normalizer.js';
import type { BookTexts } from './store.entity.js';

type Texts = Pick<AddBookRequest, 'author' | 'publisher' | 'isbn' | 'tags' | 'summary' | 'coverUrl' | 'details'>;
type StoredTexts = Omit<BookTextsRow, 'bookNo'>;
type SearchTexts = Pick<BookTexts, 'isbnPlain' | 'foldedTitle' | 'foldedAuthor' | 'foldedTags' | 'foldedSummary'>;
/** A whole row of `book_texts`. */
export type SearchableTexts = BookTextsRow & SearchTexts;

export const EMPTY_TEXTS: StoredTexts = {
  author: null,
  publisher: null,
  isbn: null,
  tags: null,
  summary: null,
  coverUrl: null,
  details: null,
};

/** The texts of a book after a request, and what the search compares of them. Fields that were not sent stay as before. */
export function textsOf(
  { bookNo, title }: { bookNo: number; title: string },
  { author, publisher, isbn, tags, summary, coverUrl, details }: Texts,
  before: StoredTexts,
): SearchableTexts {
  return withSearchTexts(title, {
    bookNo,
    author: author ?? before.author,
    publisher: publisher ?? before.publisher,
    isbn: isbn ?? before.isbn,
    tags: tags === undefined ? before.tags : JSON.stringify(tags),
    summary: summary ?? before.summary,
    coverUrl: coverUrl ?? before.coverUrl,
    details: details === undefined ? before.details : JSON.stringify(details),
  });
}

/** The entries of the search index for a book. */
export function gramsOfBook({
  foldedTitle,
  foldedAuthor,
  foldedTags,
  foldedSummary,
}: Omit<SearchTexts, 'isbnPlain'>): Set<string> {
  return gramsOf([foldedTitle, foldedAuthor, foldedTags, foldedSummary].join('\n'));
}

function withSearchTexts(title: string, texts: BookTextsRow): SearchableTexts {
  const tags: string[] = texts.tags === null ? [] : JSON.parse(texts.tags);
  return {
    ...texts,
    isbnPlain: plainIsbn(texts.isbn ?? '') ?? null,
    foldedTitle: normalizeForSearch(title),
    foldedAuthor: normalizeForSearch(texts.author ?? ''),
    foldedTags: normalizeForSearch(tags.join('\n')),
    foldedSummary: normalizeForSearch(texts.summary ?? ''),
  };
}
