import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

/** Keys for programs, with the rights of each. */
export function apiKeys1700000009000({ ddl }: Dialect): new () => MigrationInterface {
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const integer = `${ddl.integer} NOT NULL`;
  const { quote } = ddl;
  const foreignKey = `CONSTRAINT ${quote('fk_api_keys_user')} FOREIGN KEY (${quote('user_id')}) REFERENCES ${quote('users')} (${quote('user_id')}) ON DELETE RESTRICT ON UPDATE RESTRICT`;

  return class ApiKeys1700000009000 implements MigrationInterface {
    readonly name = 'ApiKeys1700000009000';

    async up(runner: QueryRunner): Promise<void> {
      // On a server, an interrupted attempt may have left the table behind.
      await runner.query('DROP TABLE IF EXISTS api_keys');
      await runner.query(
        `CREATE TABLE api_keys (key_id ${text(36)}, user_id ${text(64)}, name ${text(500)}, secret_hash ${text(64)}, rights ${text(100)},
           created_at ${integer}, expires_at ${ddl.integer} NULL, last_used_at ${ddl.integer} NULL,
           PRIMARY KEY (key_id), ${foreignKey}) ${ddl.table}`,
      );
      await runner.query('CREATE UNIQUE INDEX api_keys_by_secret ON api_keys (secret_hash)');
      await runner.query('CREATE INDEX api_keys_by_user ON api_keys (user_id, key_id)');
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.dropTable('api_keys');
    }
  };
}
