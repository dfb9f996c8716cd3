import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type mysql from 'mysql2';
import { serverDriver } from '../../src/platform/database/server.driver.js';
import { ServerHosts } from '../../src/platform/database/server.hosts.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const printable = range(0x7f - 0x20).map((index) => String.fromCharCode(0x20 + index));
/** Characters with a meaning in SQL, drivers or JSON: alone, at each end, doubled, and with backslashes. */
const texts = [
  ...[...printable, '\n', '\r', '\t', '\b', '\x1a', '\x1f', 'é', '中', '🇨🇳'].flatMap((character) => [
    ...[character, `${character}a`, `a${character}`, `a${character}b`],
    ...[character + character, `\\${character}`, `${character}\\`, `\\\\${character}`],
  ]),
  ...["\\' OR 1=1 -- ", "' OR '1'='1", '\\\\\\', "'''", '"\\"', '??', ':name', '/*!50000 1*/', '\\u0027', ''],
];
/** Valid in a single-line field. */
const singleLine = `${printable.slice(1).join('')} \\' OR 1=1 -- é中🇨🇳\\`;

describe('a text round-trips unchanged', () => {
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

  test('through a table, with single and bulk inserts, on both connections', async () => {
    const { dialect, read, writer } = hub.database;
    const rows = texts.map((text, index) => [`hash ${index}`, 'user', text, index]);
    const columns = ['token_hash', 'user_id', 'reason', 'at'];
    await hub.database.transaction(async (tx) => {
      await tx.query(...dialect.write({ table: 'ended_sessions', columns, rows: rows.slice(1) }));
      await tx.query('INSERT INTO ended_sessions (token_hash, user_id, reason, at) VALUES (?, ?, ?, ?)', rows[0]);
    });
    for (const connections of [read, writer]) {
      const found: { reason: string }[] = await connections.query(
        'SELECT reason FROM ended_sessions WHERE user_id = ? ORDER BY at',
        ['user'],
      );
      expect(found.map(({ reason }) => reason)).toEqual(texts);
    }
    const [row] = await read.query('SELECT COUNT(DISTINCT at) AS found FROM ended_sessions WHERE reason IN (?)', [
      "\\' OR 1=1 -- ",
    ]);
    expect(Number(row.found)).toBe(1);
  });

  test('through an order, its events and a replay', async () => {
    await Promise.all([buyer.connect(), seller.connect()]);
    const { orderId } = await buyer.place(seller);
    const cancel = { orderId, reason: singleLine, key: `cancel\\'"once` };
    const done = await buyer.send('order:cancel', cancel);
    expect(done).toMatchObject({ ok: true, data: { cancelReason: singleLine } });
    expect(await buyer.send('order:cancel', cancel)).toEqual({ ...done, replayed: true });
    await until('the seller receives the event', () => seller.events.length === 2);
    const reconnected = await device(seller).connect({ last: { seller: 0 } });
    for (const { events } of [seller, reconnected])
      expect(events.at(-1)).toMatchObject({ orderId, cancelReason: singleLine });
  });

  if (process.env.TEST_DATABASE_URL) {
    test('or is not sent at all if the session setup fails', async () => {
      const options = { uri: database.url, charset: 'utf8mb4' };
      const anyHost = new ServerHosts([{ host: 'of the URL', port: 0 }]);
      const { createPool } = serverDriver('no_such_setting = 1', true, anyHost) as {
        createPool(options: mysql.PoolOptions): mysql.Pool;
      };
      const pool = createPool(options).promise();
      const insert = 'INSERT INTO ended_sessions (token_hash, user_id, reason, at) VALUES (?, ?, ?, ?)';
      const inserts = range(3).map((index) =>
        pool.query(insert, [`hash of a stranger ${index}`, 'stranger', 'a text', 0]),
      );
      const outcomes = await Promise.allSettled(inserts);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      await pool.end();
      expect(await hub.rows("SELECT * FROM ended_sessions WHERE user_id = 'stranger'")).toStrictEqual([]);
    });
  }
});
