// Measures search latency with 100,000 books: node scripts/measure.search.mjs [database url]
// Needs an empty database; without a URL it creates an embedded one and removes it afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import 'reflect-metadata';
import { readConfig } from '../dist/config.js';
import { createHub } from '../dist/hub.js';
import { Database } from '../dist/platform/database/database.js';
import { gramsOf, normalizeForSearch } from '../dist/stores/search.normalizer.js';

const BOOKS = 100_000;
const ROUNDS = 9;
const TRANSACTION_BOOKS = 1_000;
const PARAMETERS_MAX = 30_000;
const STORE = 'large-store';
const QUERIES = [
  ...['三体', '体', '红楼梦', '肥臀檀', 'foundation', 'ounda', 'th', 'e', 'z', 'zq', '99999', 'river stone'],
  ...[
    'winter 777',
    'nothinglikethis',
    'foundationriver',
    'author:臀',
    'author:son',
    'tags:river',
    'title:empi riv 888',
  ],
];
const ENGLISH =
  `foundation empire darkness river stone night garden theory compiler winter machine history island silent ocean
memory distant letters mountain kitchen python planet children secret dragon science modern poetry economy justice`.split(
    /\s+/,
  );
const CHINESE = [
  ...'三体黑暗森林死神永生平凡的世界活着红楼梦西游记水浒传国演义围城边呐喊彷徨朝花夕拾骆驼祥子茶馆雷雨日出家春秋丰乳肥臀檀香刑',
];

let seed = 42;
/** A deterministic generator, so that every run searches the same books. */
function pick(values) {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return values[seed % values.length];
}
const pickMany = (count, values) => Array.from({ length: count }, () => pick(values));

function book(no) {
  const isEnglish = no % 2 === 0;
  const title = isEnglish ? `${pick(ENGLISH)} of ${pick(ENGLISH)} ${no}` : pickMany(6, CHINESE).join('');
  const author = isEnglish ? `${pick(ENGLISH)} ${pick(ENGLISH)}son` : pickMany(3, CHINESE).join('');
  return { no, title, author, summary: pickMany(12, ENGLISH).join(' ') };
}

async function insert(tx, table, columns, rows) {
  const rowsMax = Math.floor(PARAMETERS_MAX / columns.length);
  const placeholders = `(${columns.map(() => '?').join(', ')})`;
  for (let start = 0; start < rows.length; start += rowsMax) {
    const batch = rows.slice(start, start + rowsMax);
    await tx.query(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${batch.map(() => placeholders).join(', ')}`,
      batch.flat(),
    );
  }
}

async function fill(database) {
  for (let first = 1; first <= BOOKS; first += TRANSACTION_BOOKS) {
    const books = Array.from({ length: TRANSACTION_BOOKS }, (_, index) => book(first + index));
    await database.transaction(async (tx) => {
      const [bookRows, texts, grams] = [[], [], []];
      for (const { no, title, author, summary } of books) {
        bookRows.push([no, STORE, `book-${no}`, title, 1_000, 5]);
        texts.push([
          no,
          author,
          summary,
          normalizeForSearch(title),
          normalizeForSearch(author),
          '',
          normalizeForSearch(summary),
        ]);
        for (const gram of gramsOf(normalizeForSearch([title, author, summary].join('\n')))) grams.push([gram, no]);
      }
      await insert(tx, 'books', ['book_no', 'store_id', 'book_id', 'title', 'price', 'low_mark'], bookRows);
      const folded = ['folded_title', 'folded_author', 'folded_tags', 'folded_summary'];
      await insert(tx, 'book_texts', ['book_no', 'author', 'summary', ...folded], texts);
      await insert(
        tx,
        'book_stock',
        ['book_no', 'stock'],
        books.map(({ no }) => [no, 10]),
      );
      await insert(tx, 'book_grams', ['gram', 'book_no'], grams);
    });
  }
}

async function measure(url, query) {
  const [field, q] = query.includes(':') ? query.split(':') : [undefined, query];
  const parameters = new URLSearchParams({ q, ...(field ? { field } : {}) });
  const times = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const response = await fetch(`${url}/stores/${STORE}/books?${parameters}`);
    found = (await response.json()).items.length;
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return {
    query,
    found,
    medianMs: Number(times[ROUNDS >> 1].toFixed(1)),
    maxMs: Number(times[ROUNDS - 1].toFixed(1)),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'order-hub-search-'));
const databaseUrl = process.argv[2] ?? `sqlite:${join(folder, 'hub.sqlite')}`;
const hub = await createHub({ ...readConfig({ DATABASE_URL: databaseUrl, PORT: '0', LOG_LEVEL: 'error' }) });
const url = await hub.listen();
const database = hub.app.get(Database);
await database.transaction(async (tx) => {
  await tx.query("INSERT INTO users (user_id, password_hash, created_at) VALUES ('owner', '-', 0)");
  await tx.query(`INSERT INTO stores (store_id, owner_id, created_at) VALUES ('${STORE}', 'owner', 0)`);
});
await fill(database);
console.log(`${BOOKS} books on ${database.dialect.name}, a page of 20, over HTTP, ${ROUNDS} rounds each:`);
const results = [];
for (const query of QUERIES) results.push(await measure(url, query));
console.table(results);
await hub.close();
rmSync(folder, { recursive: true, force: true });
