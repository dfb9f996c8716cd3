import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

/** What people write into an order, in rows of their own: erasing is deleting. */
export function orderWords1700000012000({ ddl }: Dialect): new () => MigrationInterface {
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const longText = `${ddl.longText} NOT NULL`;
  const integer = `${ddl.integer} NOT NULL`;

  return class OrderWords1700000012000 implements MigrationInterface {
    readonly name = 'OrderWords1700000012000';

    async up(runner: QueryRunner): Promise<void> {
      // On a server, an interrupted attempt may have left a table behind.
      await runner.query('DROP TABLE IF EXISTS order_addresses');
      await runner.query('DROP TABLE IF EXISTS order_notes');
      await runner.query(
        `CREATE TABLE order_addresses (order_id ${text(36)}, deliver_to ${longText}, PRIMARY KEY (order_id)) ${ddl.clustered}`,
      );
      await runner.query(
        `CREATE TABLE order_notes (order_id ${text(36)}, note_no ${integer}, user_id ${text(64)}, text ${longText}, at ${integer},
           PRIMARY KEY (order_id, note_no)) ${ddl.clustered}`,
      );
      await runner.query('CREATE INDEX order_notes_by_user ON order_notes (user_id, order_id)');
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.dropTable('order_notes');
      await runner.dropTable('order_addresses');
    }
  };
}
