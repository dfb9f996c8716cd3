import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { SearchField } from '../../src/contract/shop.js';
import type { AddBookRequest, BookView } from '../../src/contract/stores.js';
import { BooksService } from '../../src/stores/books.service.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { stranger } from '../support/refused.js';

/** Enough that both search plans are used: scanning the books and reading the index. */
const BOOKS = 1_536;
const CONCURRENT_INSERTS = 50;
const QUERIES = 40;

const CHINESE = [...'三体黑暗森林红楼梦的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会'];
const ENGLISH = ['Star', 'stars', 'STARLIGHT', 'art', 'the', 'Night', 'king', 'ing', 'Ｗｉｄｅ', 'xyzzy', '42', 'C++'];
const FIELDS: SearchField[] = ['title', 'author', 'tags', 'summary'];

/** A seeded generator, so that failures are reproducible. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function generateBooks(): AddBookRequest[] {
  const random = randomNumbers(20_261);
  const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
  const chinese = () => Array.from({ length: 1 + random(6) }, () => pick(CHINESE)).join('');
  const word = () => (random(2) === 0 ? chinese() : pick(ENGLISH));
  const phrase = () => Array.from({ length: 1 + random(3) }, word).join(pick([' ', '-', '　', '']));
  return Array.from({ length: BOOKS }, (_, index) => ({
    storeId: index % 16 === 0 ? 'annex' : 'library',
    bookId: `book-${index}`,
    title: `${phrase()} ${index}`,
    price: 1,
    stock: 1,
    ...(random(2) === 0 ? { author: phrase() } : {}),
    ...(random(2) === 0 ? { tags: [word(), word()] } : {}),
    ...(random(3) === 0 ? { summary: `${phrase()}\n${phrase()}` } : {}),
    // Text of the last book only.
    ...(index === BOOKS - 1 ? { summary: '只此一本 — nowhere else' } : {}),
  }));
}

/** The reference implementation of the contract: every word occurs in one of the fields. */
function matches(book: AddBookRequest, q: string, field?: SearchField): boolean {
  const normalize = (text: string) => text.normalize('NFKC').toUpperCase();
  const { title, author = '', tags = [], summary = '' } = book;
  const texts = { title: [title], author: [author], tags, summary: [summary] };
  const searched = (field === undefined ? FIELDS : [field]).flatMap((name) => texts[name]).map(normalize);
  const words = normalize(q)
    .split(/\s+/)
    .filter((word) => word !== '');
  return words.every((word) => searched.some((text) => text.includes(word)));
}

/** Parts of words of the books, and some that occur in none. */
function queries(books: AddBookRequest[]): [string, SearchField | undefined][] {
  const random = randomNumbers(7);
  const part = () => {
    const book = books[random(books.length)] as AddBookRequest;
    const text = [book.title, book.author, book.summary, ...(book.tags ?? [])].filter((one) => one !== undefined);
    const words = (text[random(text.length)] as string).split(/\s+/);
    const word = [...(words[random(words.length)] as string)];
    const start = random(word.length);
    return word.slice(start, start + 1 + random(5)).join('');
  };
  return Array.from({ length: QUERIES }, (_, index) => {
    const q = [part(), ...(index % 4 === 0 ? [part()] : []), ...(index % 10 === 0 ? ['z'] : [])].join(' ');
    const cased = index % 3 === 0 ? q.toLowerCase() : index % 3 === 1 ? q.toUpperCase() : q;
    return [cased, index % 5 === 0 ? FIELDS[random(FIELDS.length)] : undefined];
  });
}

describe('the search index', () => {
  const books = generateBooks();
  let hub: TestHub;
  let anyone: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    anyone = stranger(hub);
    const owner = await hub.person();
    for (const storeId of ['library', 'annex']) await owner.post('/stores', { storeId });
    const service = hub.hub.app.get(BooksService);
    for (let start = 0; start < BOOKS; start += CONCURRENT_INSERTS) {
      await Promise.all(books.slice(start, start + CONCURRENT_INSERTS).map((book) => service.add(owner, book)));
    }
  }, 60_000);
  afterAll(() => hub.stop());

  const pathOf = (storeId: string | undefined) => (storeId === undefined ? '/books' : `/stores/${storeId}/books`);

  async function searchAll(parameters: Record<string, string>, limit: number, storeId?: string): Promise<string[]> {
    const found: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const query = new URLSearchParams({ ...parameters, limit: `${limit}`, ...(next === '' ? {} : { after: next }) });
      const answer: { status: number; body: Page<BookView> } = await anyone.get(`${pathOf(storeId)}?${query}`);
      if (answer.status !== 200) throw new Error(`${query} was answered with ${answer.status}`);
      found.push(...answer.body.items.map(({ bookId }) => bookId));
      next = answer.body.next;
    }
    return found;
  }

  async function expectComplete(
    q: string,
    field: SearchField | undefined,
    limit: number,
    storeId?: string,
  ): Promise<void> {
    const found = await searchAll({ q, ...(field === undefined ? {} : { field }) }, limit, storeId);
    const expected = books
      .filter((book) => (storeId === undefined || book.storeId === storeId) && matches(book, q, field))
      .map(({ bookId }) => bookId);
    expect({ q, field, storeId, found: [...found].sort() }).toEqual({ q, field, storeId, found: expected.sort() });
  }

  test.each(queries(books))('finds exactly the books that contain %j (field %s)', async (q, field) => {
    await expectComplete(q, field, 100);
    await expectComplete(q, field, 100, 'annex');
  });

  test.each<[string, string]>([
    ['most books contain', '1'],
    ['some books contain', 'xyzzy'],
    ['many books contain, of one letter', 'a'],
    ['many books contain, of two characters', '三体'],
    ['one book contains', '1535'],
    ['only the last book contains', 'nowhere else'],
    ['only the last book contains, in Chinese', '此一'],
    ['no book contains', 'qqq'],
    ['no book contains, of one character', '龘'],
    ['no book contains, though its parts occur', 'starnightking'],
    ['is longer than any text', 'starlight'.repeat(20)],
  ])('finds text that %s, at any page size', async (_, q) => {
    for (const limit of [17, 100]) await expectComplete(q, undefined, limit);
  });

  test('finds a changed book by its new title only', async () => {
    const [owner] = await hub.rows<{ id: string }>("SELECT owner_id AS id FROM stores WHERE store_id = 'library'");
    await hub.hub.app
      .get(BooksService)
      .change({ userId: owner?.id ?? '' }, { storeId: 'library', bookId: 'book-1501', title: '焕然一新 Renewed' });
    for (const q of ['然一', '焕', 'renewed']) expect(await searchAll({ q }, 20)).toEqual(['book-1501']);
    expect(await searchAll({ q: '1501' }, 20)).toEqual([]);
  });

  test('without words lists every book once', async () => {
    const found = await searchAll({}, 100);
    expect(found).toHaveLength(BOOKS);
    expect(new Set(found).size).toBe(BOOKS);
    expect(await searchAll({}, 64, 'annex')).toHaveLength(BOOKS / 16);
  });
});
