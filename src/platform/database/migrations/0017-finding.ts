import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

const STATUSES = ['placed', 'paid', 'shipped', 'received', 'cancelled'];

/** Hubs of the release before, which count nothing, have stopped by then: they look once a second whether they may go on. */
const OLDER_HUBS_STOP_WITHIN_MS = 3_000;

/** How many orders of each status its user has in a room's role. Last in the row, so that a server adds them without a rewrite. */
export function finding1700000016000({ singleWriter, ddl }: Dialect): new () => MigrationInterface {
  const count = async (runner: QueryRunner, role: string) => {
    const sums = STATUSES.map((status) => `SUM(status = '${status}')`).join(', ');
    const onDuplicate = singleWriter ? 'ON CONFLICT (role, user_id) DO UPDATE SET' : 'ON DUPLICATE KEY UPDATE';
    const counted = (column: string) => (singleWriter ? `excluded.${column}` : `VALUES(${column})`);
    await runner.query(
      `INSERT INTO rooms (role, user_id, head, ${STATUSES.join(', ')})
         SELECT '${role}', ${role}_id, 0, ${sums} FROM orders WHERE 1 = 1 GROUP BY ${role}_id
         ${onDuplicate} ${STATUSES.map((column) => `${column} = ${counted(column)}`).join(', ')}`,
    );
  };

  return class Finding1700000016000 implements MigrationInterface {
    readonly name = 'Finding1700000016000';

    async up(runner: QueryRunner): Promise<void> {
      for (const column of STATUSES) {
        // A server cannot roll back DDL: an interrupted run leaves some columns behind.
        if (!(await runner.hasColumn('rooms', column)))
          await runner.query(`ALTER TABLE rooms ADD COLUMN ${column} ${ddl.integer} NOT NULL DEFAULT 0`);
      }
      const rooms: unknown[] = await runner.query('SELECT role FROM rooms LIMIT 1');
      if (rooms.length > 0 && !singleWriter) await sleep(OLDER_HUBS_STOP_WITHIN_MS);
      for (const role of ['buyer', 'seller']) await count(runner, role);
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const column of STATUSES) await runner.query(`ALTER TABLE rooms DROP COLUMN ${column}`);
    }
  };
}
