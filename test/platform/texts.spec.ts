import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type mysql from 'mysql2';
import { serverDriver } from '../../src/platform/server.driver.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const printable = range(0x7f - 0x20).map((index) => String.fromCharCode(0x20 + index));
/** Whatever an SQL text, a driver or JSON may give a meaning of its own: alone, at each end, twice, and behind a backslash. */
const words = [
  ...[...printable, '\n', '\r', '\t', '\b', '\x1a', '\x1f', 'é', '中', '🇨🇳'].flatMap((sign) => [
    ...[sign, `${sign}a`, `a${sign}`, `a${sign}b`],
    ...[sign + sign, `\\${sign}`, `${sign}\\`, `\\\\${sign}`],
  ]),
  ...["\\' OR 1=1 -- ", "' OR '1'='1", '\\\\\\', "'''", '"\\"', '??', ':name', '/*!50000 1*/', '\\u0027', ''],
];
/** What people may write into one line. */
const line = `${printable.slice(1).join('')} \\' OR 1=1 -- é中🇨🇳\\`;

describe('a text comes back letter for letter', () => {
  let database: TestDatabase;
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    buyer = await hub.buyer();
    seller = await hub.seller([{ stock: 10 }]);
  });
  afterAll(() => hub.stop());

  test('from a table, written row by row or many rows at once, for who reads and for who writes', async () => {
    const { dialect, read, writer } = hub.database;
    const rows = words.map((word, at) => [`hash ${at}`, 'somebody', word, at]);
    const columns = ['token_hash', 'user_id', 'reason', 'at'];
    await hub.database.transaction(async (tx) => {
      await tx.query(...dialect.write({ table: 'ended_sessions', columns, rows: rows.slice(1) }));
      await tx.query('INSERT INTO ended_sessions (token_hash, user_id, reason, at) VALUES (?, ?, ?, ?)', rows[0]);
    });
    for (const connections of [read, writer]) {
      const found: { reason: string }[] = await connections.query(
        'SELECT reason FROM ended_sessions WHERE user_id = ? ORDER BY at',
        ['somebody'],
      );
      expect(found.map(({ reason }) => reason)).toEqual(words);
    }
    const [wanted] = await read.query('SELECT COUNT(DISTINCT at) AS found FROM ended_sessions WHERE reason IN (?)', [
      "\\' OR 1=1 -- ",
    ]);
    expect(Number(wanted.found)).toBe(1);
  });

  test('from an order, at once, from its events, and when its command is sent again', async () => {
    await Promise.all([buyer.connect(), seller.connect()]);
    const { orderId } = await buyer.place(seller);
    const cancel = { orderId, reason: line, key: `cancel\\'"once` };
    const done = await buyer.send('order:cancel', cancel);
    expect(done).toMatchObject({ ok: true, data: { cancelReason: line } });
    expect(await buyer.send('order:cancel', cancel)).toEqual({ ...done, replayed: true });
    await until('the seller hears of it', () => seller.events.length === 2);
    const back = await device(seller).connect({ last: { seller: 0 } });
    for (const { events } of [seller, back]) expect(events.at(-1)).toMatchObject({ orderId, cancelReason: line });
  });

  if (process.env.TEST_DATABASE_URL) {
    test('and nothing is sent to a server that was not told how texts are written', async () => {
      const options = { uri: database.url, charset: 'utf8mb4' };
      const { createPool } = serverDriver('no_such_setting = 1') as {
        createPool(options: mysql.PoolOptions): mysql.Pool;
      };
      const pool = createPool(options).promise();
      const insert = 'INSERT INTO ended_sessions (token_hash, user_id, reason, at) VALUES (?, ?, ?, ?)';
      const given = range(3).map((index) =>
        pool.query(insert, [`hash of a stranger ${index}`, 'stranger', 'a text', 0]),
      );
      const outcomes = await Promise.allSettled(given);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      await pool.end();
      expect(await hub.rows("SELECT * FROM ended_sessions WHERE user_id = 'stranger'")).toStrictEqual([]);
    });
  }
});
