import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

/** Money on its way in and out through a payment provider. */
export function payments1700000011000({ ddl }: Dialect): new () => MigrationInterface {
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const integer = `${ddl.integer} NOT NULL`;
  const integerOrNull = `${ddl.integer} NULL`;
  const money = `amount ${integer} CHECK (amount > 0), currency ${text(3)}, provider ${text(16)}, status ${text(16)},
           created_at ${integer}, settled_at ${integerOrNull}, due_at ${integerOrNull}, attempts ${integer} DEFAULT 0`;

  return class Payments1700000011000 implements MigrationInterface {
    readonly name = 'Payments1700000011000';

    async up(runner: QueryRunner): Promise<void> {
      // On a server, an interrupted attempt may have left the tables behind.
      for (const table of ['topups', 'payouts']) await runner.query(`DROP TABLE IF EXISTS ${table}`);
      await runner.query(
        `CREATE TABLE topups (topup_id ${text(36)}, user_id ${text(64)}, order_id ${ddl.text(36)} NULL, ${money},
           event_id ${ddl.text(191)} NULL, reference ${ddl.text(255)} NULL, url ${ddl.longText} NULL,
           PRIMARY KEY (topup_id)) ${ddl.table}`,
      );
      await runner.query('CREATE UNIQUE INDEX topups_by_event ON topups (event_id)');
      await runner.query('CREATE INDEX topups_by_user ON topups (user_id, topup_id)');
      await runner.query('CREATE INDEX topups_by_due ON topups (due_at)');
      await runner.query(
        `CREATE TABLE payouts (payout_id ${text(36)}, user_id ${text(64)}, ${money},
           PRIMARY KEY (payout_id)) ${ddl.table}`,
      );
      await runner.query('CREATE INDEX payouts_by_user ON payouts (user_id, payout_id)');
      await runner.query('CREATE INDEX payouts_by_due ON payouts (due_at)');
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const table of ['payouts', 'topups']) await runner.dropTable(table);
    }
  };
}
