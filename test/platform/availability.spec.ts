import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import { KEYS_KEPT_DAYS } from '../../src/contract/fields.js';
import { outageCauseOf, retryCauseOf } from '../../src/platform/database/error.causes.js';
import { mariadb } from '../../src/platform/database/server.dialect.js';
import { TestHub, until } from '../support/hub.js';
import { beginOtherTransaction, HEAVY_ROWS, lockFile } from '../support/locks.js';
import { isServer, onEmbedded, onServer } from '../support/on.server.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import { samplesOf } from '../support/samples.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const DAY_MS = 86_400_000;
const HOUR_SECONDS = 3_600;
const LOCK_VIEW_REFRESH_MS = 200;
const WAITING = `SELECT id FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
  WHERE trx_state = 'LOCK WAIT' AND db = DATABASE()`;
const NO_REDIS = 'redis://127.0.0.1:1';

describe('the metrics of what a hub stands on', () => {
  let own: TestDatabase;
  let proxy: TcpProxy;
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  /** Beside those of the hub. */
  let other: Connection;

  beforeAll(async () => {
    own = await createTestDatabase();
    if (isServer) {
      proxy = await TcpProxy.before(own.url);
      await proxy.open();
    }
    hub = await TestHub.start({ redisUrl: NO_REDIS }, isServer ? { url: proxy.url, drop: own.drop } : own);
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
    await buyer.connect();
  });
  afterAll(async () => {
    await hub.stop();
    if (isServer) await proxy.close();
  });

  afterEach(() => other?.destroy());

  const sample = async (name: string, of: TestHub = hub) => (await samplesOf(of)).get(`order_hub_${name}`);
  const retried = async (cause: string) => (await sample(`transactions_retried_total{cause="${cause}"}`)) ?? 0;
  const write = (sql: string, parameters: unknown[] = []) =>
    hub.database.transaction((tx) => tx.query(sql, parameters));
  const message = (key: string) => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key });

  test('say that the hub is ready and Redis is missing, or not asked for', async () => {
    expect(await sample('ready')).toBe(1);
    expect(await sample('redis_up')).toBe(0);
    for (const cause of ['no-quorum', 'read-only', 'refused', 'timeout', 'unreachable', 'other'])
      expect(await sample(`database_outage{cause="${cause}"}`)).toBe(0);
    const alone = await TestHub.start();
    expect(await sample('redis_up', alone)).toBe(-1);
    await alone.stop();
  });

  test('count sockets that are cut because of a malformed packet', async () => {
    const person = await hub.person();
    await person.connect();
    person.socket?.io.engine.write('no packet');
    const cut = () => sample('sockets_closed_total{cause="bad-packet"}');
    await until('the socket is counted', async () => (await cut()) === 1);
  });

  onEmbedded('count transactions that wait for another process', async () => {
    const { release, released } = await lockFile(own, 1_000);
    await until('the order is placed', async () => (await buyer.send('order:place', message('locked-file'))).ok);
    release();
    await released;
    expect(await retried('lock-wait')).toBeGreaterThan(0);
  });

  onServer('count a transaction that a deadlock has undone', async () => {
    const before = await retried('deadlock');
    other = await beginOtherTransaction(own, HEAVY_ROWS);
    await other.query('SELECT head FROM rooms WHERE role = ? AND user_id = ? FOR UPDATE', ['seller', seller.userId]);
    const placing = buyer.send('order:place', message('deadlock'));
    await until('the batch waits for the room', async () => {
      await sleep(LOCK_VIEW_REFRESH_MS);
      const [waiting] = await other.query<mysql.RowDataPacket[]>(WAITING);
      return waiting.length > 0;
    });
    // The batch holds the stock, and is the smaller one.
    await other.query('SELECT stock FROM book_stock FOR UPDATE');
    await other.rollback();
    expect(await placing).toMatchObject({ ok: true });
    expect(await retried('deadlock')).toBe(before + 1);
  });

  onServer('count a transaction that waited for a lock', async () => {
    other = await mysql.createConnection(own.url);
    await other.beginTransaction();
    await other.query('SELECT head FROM rooms WHERE role = ? AND user_id = ? FOR UPDATE', ['seller', seller.userId]);
    const placing = buyer.send('order:place', message('held'));
    await until('the wait is counted', async () => (await retried('lock-wait')) > 0);
    await other.rollback();
    await placing;
    await until('the order is placed', async () => (await buyer.send('order:place', message('held'))).ok);
  });

  onServer('count a transaction whose connection was cut', async () => {
    const isCut = proxy.cutAtCommit('before');
    await until('the order is placed', async () => (await buyer.send('order:place', message('cut'))).ok);
    await isCut;
    expect(await retried('connection-lost')).toBeGreaterThan(0);
  });

  describe('in an outage', () => {
    onServer('name a lost quorum, by the number that a node of Galera gives', async () => {
      other = await mysql.createConnection(own.url);
      await other.query(`CREATE TRIGGER failing BEFORE INSERT ON hub_batches FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1047, MESSAGE_TEXT = 'injected'`);
      await until('no quorum', async () => (await sample('database_outage{cause="no-quorum"}')) === 1);
      expect(await sample('ready')).toBe(0);
      await other.query('DROP TRIGGER failing');
      await until('the hub is ready', async () => (await sample('ready')) === 1);
      expect(await sample('database_outage{cause="no-quorum"}')).toBe(0);
    });

    onServer('name a silent server, and let the age of the batch log grow', async () => {
      expect(await sample('batch_log_lag_seconds')).toBeLessThan(60);
      proxy.freeze();
      await until('a timeout', async () => (await sample('database_outage{cause="timeout"}')) === 1);
      await until('the log is old', async () => ((await sample('batch_log_lag_seconds')) ?? 0) > 3);
      proxy.thaw();
      await until('the log is read', async () => ((await sample('batch_log_lag_seconds')) ?? 9) < 1);
      await until('the hub is ready', async () => (await sample('ready')) === 1);
    });

    onEmbedded('say that the file cannot be written; there is no log of other hubs', async () => {
      await hub.database.writer.query('PRAGMA query_only = 1');
      await until('an outage', async () => (await sample('database_outage{cause="other"}')) === 1);
      expect(await sample('ready')).toBe(0);
      await hub.database.writer.query('PRAGMA query_only = 0');
      await until('the hub is ready', async () => (await sample('ready')) === 1);
      expect(await sample('batch_log_lag_seconds')).toBe(0);
    });
  });

  test('tell how long rows past their keeping time have not been deleted', async () => {
    const lag = async () => (await sample('retention_lag_seconds{rows="events-and-answers"}')) ?? -1;
    await until(
      'the rows are deleted after the start',
      async () => (await hub.rows("SELECT name FROM leases WHERE name = 'retention' AND holder = ''")).length > 0,
    );
    const at = Date.now() - (KEYS_KEPT_DAYS + 1) * DAY_MS;
    const columns = '(user_id, idem_key, message_hash, answer, at)';
    await write(`INSERT INTO command_answers ${columns} VALUES ('ann', 'old', '', '{}', ?)`, [at]);
    await write(
      isServer
        ? `CREATE TRIGGER kept BEFORE DELETE ON command_answers FOR EACH ROW
            SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1644, MESSAGE_TEXT = 'injected'`
        : "CREATE TRIGGER kept BEFORE DELETE ON command_answers BEGIN SELECT RAISE(FAIL, 'injected'); END",
    );
    // The pause of an hour has ended two hours ago, and the work now fails.
    await write("UPDATE leases SET holder = '', expires_at = ? WHERE name = 'retention'", [
      hub.now() - 2 * HOUR_SECONDS * 1_000,
    ]);
    await until('the lag shows', async () => (await lag()) > 2.9 * HOUR_SECONDS);
    await write('DROP TRIGGER kept');
    await until('the rows are deleted', async () => (await lag()) < HOUR_SECONDS);
    expect(await hub.rows("SELECT at FROM command_answers WHERE user_id = 'ann'")).toEqual([]);
  });
});

/** What clusters answer, which a single server does not. */
describe('the causes of errors', () => {
  const errorOf = (errno: number, text: string) => Object.assign(new Error(text), { errno });

  test.each([
    [1213, 'Deadlock found when trying to get lock; try restarting transaction', 'deadlock'],
    [1213, 'WSREP detected deadlock/conflict and aborted the transaction. Try restarting it', 'certification'],
    [3101, 'Plugin instructed the server to rollback the current transaction.', 'certification'],
    [1180, 'Got error 149 - Lock deadlock during COMMIT', 'certification'],
    [1205, 'Lock wait timeout exceeded', 'lock-wait'],
    [2013, 'Lost connection', 'connection-lost'],
    [1062, 'Duplicate entry', 'duplicate'],
  ])('a transaction that failed with %i, %s, is retried: %s', (errno, text, cause) => {
    const driverError = errorOf(errno, text);
    expect(retryCauseOf(Object.assign(new Error(text), { driverError }), mariadb)).toBe(cause);
  });

  test.each([
    [1047, 'WSREP has not yet prepared node for application use', 'no-quorum'],
    [3100, 'Error on observer while running replication hook', 'no-quorum'],
    [1290, 'running with the --read-only option', 'read-only'],
    [1045, 'Access denied', 'refused'],
    [2003, 'Cannot connect', 'unreachable'],
    [0, 'a fault', 'other'],
  ])('an outage that shows as %i, %s: %s', (errno, text, cause) => {
    expect(outageCauseOf(errorOf(errno, text))).toBe(cause);
  });
});
