import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { AddBookRequest, BookView, SearchField } from '../../src/contract/stores.js';
import { StoresService } from '../../src/stores/stores.service.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { stranger } from '../support/refused.js';

/** More than a search looks at one by one, and more than it counts of one index entry: both of its ways are taken. */
const BOOKS = 1_536;
const AT_ONCE = 50;
const QUERIES = 40;

const CHINESE = [...'三体黑暗森林红楼梦的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会'];
const ENGLISH = ['Star', 'stars', 'STARLIGHT', 'art', 'the', 'Night', 'king', 'ing', 'Ｗｉｄｅ', 'xyzzy', '42', 'C++'];
const FIELDS: SearchField[] = ['title', 'author', 'tags', 'summary'];

/** The same numbers in every run, so that a failure can be looked at again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function shelf(): AddBookRequest[] {
  const random = numbers(20_261);
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
    // The last book of all holds what no other does.
    ...(index === BOOKS - 1 ? { summary: '只此一本 — nowhere else' } : {}),
  }));
}

/** What the contract asks of a search, book by book and word by word. */
function finds(book: AddBookRequest, q: string, field?: SearchField): boolean {
  const alike = (text: string) => text.normalize('NFKC').toUpperCase();
  const { title, author = '', tags = [], summary = '' } = book;
  const texts = { title: [title], author: [author], tags, summary: [summary] };
  const read = (field === undefined ? FIELDS : [field]).flatMap((name) => texts[name]).map(alike);
  const words = alike(q)
    .split(/\s+/)
    .filter((word) => word !== '');
  return words.every((word) => read.some((text) => text.includes(word)));
}

/** Parts of words that stand on the shelf, and some that do not. */
function queries(books: AddBookRequest[]): [string, SearchField | undefined][] {
  const random = numbers(7);
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

describe('the search on a long shelf', () => {
  const books = shelf();
  let hub: TestHub;
  let anyone: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    anyone = stranger(hub);
    const owner = await hub.person();
    for (const storeId of ['library', 'annex']) await owner.post('/stores', { storeId });
    const stores = hub.hub.app.get(StoresService);
    for (let start = 0; start < BOOKS; start += AT_ONCE) {
      await Promise.all(books.slice(start, start + AT_ONCE).map((book) => stores.addBook(owner.userId, book)));
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

  async function isComplete(q: string, field: SearchField | undefined, limit: number, storeId?: string): Promise<void> {
    const found = await searchAll({ q, ...(field === undefined ? {} : { field }) }, limit, storeId);
    const wanted = books
      .filter((book) => (storeId === undefined || book.storeId === storeId) && finds(book, q, field))
      .map(({ bookId }) => bookId);
    expect({ q, field, storeId, found: [...found].sort() }).toEqual({ q, field, storeId, found: wanted.sort() });
  }

  test.each(queries(books))('finds all that hold %j (in %s), and nothing else', async (q, field) => {
    await isComplete(q, field, 100);
    await isComplete(q, field, 100, 'annex');
  });

  test.each<[string, string]>([
    ['is on most books', '1'],
    ['is on some', 'xyzzy'],
    ['is in one letter on many', 'a'],
    ['is in two letters on many', '三体'],
    ['is on one book', '1535'],
    ['stands on the last of them only', 'nowhere else'],
    ['stands on the last of them only, in Chinese', '此一'],
    ['stands on none', 'qqq'],
    ['stands on none, in one letter', '龘'],
    ['stands on none, though its parts do', 'starnightking'],
    ['has more letters than any on the shelf', 'starlight'.repeat(20)],
  ])('finds what %s, whatever the size of a page', async (_, q) => {
    for (const limit of [17, 100]) await isComplete(q, undefined, limit);
  });

  test('finds a book of the long shelf under its new title at once', async () => {
    const [owner] = await hub.rows<{ id: string }>("SELECT owner_id AS id FROM stores WHERE store_id = 'library'");
    const stores = hub.hub.app.get(StoresService);
    await stores.changeBook(owner?.id ?? '', { storeId: 'library', bookId: 'book-1501', title: '焕然一新 Renewed' });
    for (const q of ['然一', '焕', 'renewed']) expect(await searchAll({ q }, 20)).toEqual(['book-1501']);
    expect(await searchAll({ q: '1501' }, 20)).toEqual([]);
  });

  test('without words lists all, each once', async () => {
    const found = await searchAll({}, 100);
    expect(found).toHaveLength(BOOKS);
    expect(new Set(found).size).toBe(BOOKS);
    expect(await searchAll({}, 64, 'annex')).toHaveLength(BOOKS / 16);
  });
});
