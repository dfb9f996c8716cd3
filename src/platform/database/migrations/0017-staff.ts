import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

/** Who may act for a seller, and which member of the staff is working on an order. Older hubs need to know neither. */
export function staff1700000016000({ ddl }: Dialect): new () => MigrationInterface {
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const integer = `${ddl.integer} NOT NULL`;
  const { quote } = ddl;
  const foreignKey = (name: string, column: string) =>
    `CONSTRAINT ${quote(name)} FOREIGN KEY (${quote(column)}) REFERENCES ${quote('users')} (${quote('user_id')}) ON DELETE RESTRICT ON UPDATE RESTRICT`;
  // Nullable or with a default, so that a server adds them without a rewrite.
  const claimColumns = [
    ['claimed_by', `${ddl.text(64)} NULL`],
    ['claimed_until', `${ddl.integer} NULL`],
    ['claims', `${integer} DEFAULT 0`],
  ] as const;

  return class Staff1700000016000 implements MigrationInterface {
    readonly name = 'Staff1700000016000';

    async up(runner: QueryRunner): Promise<void> {
      // On a server, an interrupted attempt may have left the table behind.
      await runner.query('DROP TABLE IF EXISTS staff_members');
      await runner.query(
        `CREATE TABLE staff_members (owner_id ${text(64)}, user_id ${text(64)}, membership_id ${text(36)}, rights ${text(100)},
           created_at ${integer}, version ${integer}, PRIMARY KEY (owner_id, user_id),
           ${foreignKey('fk_staff_members_owner', 'owner_id')}, ${foreignKey('fk_staff_members_user', 'user_id')}) ${ddl.table}`,
      );
      await runner.query('CREATE INDEX staff_members_by_user ON staff_members (user_id, owner_id)');
      for (const [column, type] of claimColumns) {
        if (!(await runner.hasColumn('orders', column)))
          await runner.query(`ALTER TABLE orders ADD COLUMN ${column} ${type}`);
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const [column] of claimColumns) await runner.query(`ALTER TABLE orders DROP COLUMN ${column}`);
      await runner.dropTable('staff_members');
    }
  };
}
