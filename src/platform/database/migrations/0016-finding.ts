import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';
import { hasIndex } from './has.index.js';

/** Hubs of the release before, which write none of this, have stopped by then: they look once a second whether they may go on. */
const OLDER_HUBS_STOP_WITHIN_SECONDS = 3;

const STATUSES = ['placed', 'paid', 'shipped', 'received', 'cancelled'];
const INDEXES = {
  orders_by_tracking: 'orders (tracking_no)',
  book_texts_by_isbn: 'book_texts (isbn_plain)',
};
const tableOf = (indexed: string) => indexed.slice(0, indexed.indexOf(' '));

/**
 * How many orders of each status its user has in a room's role, and what finds an order by its tracking number
 * and a book by its ISBN. Columns come last in the row, so that a server adds them without a rewrite.
 */
export function finding1700000015000(dialect: Dialect): new () => MigrationInterface {
  const { singleWriter, ddl } = dialect;
  const columns: [table: string, column: string, type: string][] = [
    ...STATUSES.map((status): [string, string, string] => ['rooms', status, `${ddl.integer} NOT NULL DEFAULT 0`]),
    ['book_texts', 'isbn_plain', `${ddl.text(32)} NULL`],
  ];

  return class Finding1700000015000 implements MigrationInterface {
    readonly name = 'Finding1700000015000';

    async up(runner: QueryRunner): Promise<void> {
      if (!singleWriter) await makeRoom(runner, 'book_texts');
      for (const [table, column, type] of columns) {
        // A server cannot roll back DDL: an interrupted run leaves some columns behind.
        if (!(await runner.hasColumn(table, column)))
          await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
      }
      const rooms: unknown[] = await runner.query('SELECT role FROM rooms LIMIT 1');
      const seconds = rooms.length > 0 && !singleWriter ? OLDER_HUBS_STOP_WITHIN_SECONDS : 0;
      // In the database, which may close a connection that is idle.
      for (let waited = 0; waited < seconds; waited++) await runner.query('SELECT SLEEP(1)');
      for (const role of ['buyer', 'seller']) await countOrders(runner, dialect, role);
      const isbn = "UPPER(REPLACE(REPLACE(isbn, '-', ''), ' ', ''))";
      await runner.query(`UPDATE book_texts SET isbn_plain = ${isbn} WHERE isbn IS NOT NULL`);
      for (const [index, indexed] of Object.entries(INDEXES)) {
        // Orders without a tracking number need no entry. Only the embedded database can leave them out.
        const where = singleWriter && index === 'orders_by_tracking' ? ' WHERE tracking_no IS NOT NULL' : '';
        if (!(await hasIndex(runner, tableOf(indexed), index)))
          await runner.query(`CREATE INDEX ${index} ON ${indexed}${where}`);
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const [index, indexed] of Object.entries(INDEXES)) await runner.dropIndex(tableOf(indexed), index);
      for (const [table, column] of columns) await runner.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
    }
  };
}

/** In the compact format of a server's own default, a page holds no row with one more text. Others are not rewritten. */
async function makeRoom(runner: QueryRunner, table: string): Promise<void> {
  const sql = `SELECT ROW_FORMAT AS format FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;
  const [{ format } = { format: '' }]: { format: string }[] = await runner.query(sql, [table]);
  if (/^(compact|redundant)$/i.test(format)) await runner.query(`ALTER TABLE ${table} ROW_FORMAT=DYNAMIC`);
}

async function countOrders(runner: QueryRunner, { singleWriter }: Dialect, role: string): Promise<void> {
  const sums = STATUSES.map((status) => `SUM(status = '${status}')`).join(', ');
  const onDuplicate = singleWriter ? 'ON CONFLICT (role, user_id) DO UPDATE SET' : 'ON DUPLICATE KEY UPDATE';
  const counted = (column: string) => (singleWriter ? `excluded.${column}` : `VALUES(${column})`);
  await runner.query(
    `INSERT INTO rooms (role, user_id, head, ${STATUSES.join(', ')})
       SELECT '${role}', ${role}_id, 0, ${sums} FROM orders WHERE 1 = 1 GROUP BY ${role}_id
       ${onDuplicate} ${STATUSES.map((column) => `${column} = ${counted(column)}`).join(', ')}`,
  );
}
