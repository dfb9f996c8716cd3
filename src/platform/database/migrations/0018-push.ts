import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

const TABLES = ['push_subscriptions', 'push_cursors', 'push_notices', 'push_presence', 'vapid_keys'];

/** Browsers to send push messages to, how far the rooms of their users are read for them, and what they are yet to be sent. */
export function push1700000017000({ ddl }: Dialect): new () => MigrationInterface {
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const integer = `${ddl.integer} NOT NULL`;

  return class Push1700000017000 implements MigrationInterface {
    readonly name = 'Push1700000017000';

    async up(runner: QueryRunner): Promise<void> {
      // On a server, an interrupted attempt may have left some behind.
      for (const table of TABLES) await runner.query(`DROP TABLE IF EXISTS ${table}`);
      await runner.query(
        `CREATE TABLE push_subscriptions (subscription_id ${text(36)}, user_id ${text(64)}, endpoint ${text(2_000)},
           endpoint_hash ${text(64)}, p256dh ${text(88)}, auth ${text(24)}, created_at ${integer}, subscribed_at ${integer},
           PRIMARY KEY (subscription_id)) ${ddl.table}`,
      );
      await runner.query('CREATE UNIQUE INDEX push_subscriptions_by_endpoint ON push_subscriptions (endpoint_hash)');
      await runner.query('CREATE INDEX push_subscriptions_by_user ON push_subscriptions (user_id, subscription_id)');
      await runner.query(
        `CREATE TABLE push_cursors (role ${text(6)}, user_id ${text(64)}, position ${integer}, PRIMARY KEY (role, user_id)) ${ddl.table}`,
      );
      await runner.query(
        `CREATE TABLE push_notices (subscription_id ${text(36)}, order_id ${text(36)}, kind ${text(16)}, role ${text(6)}, at ${integer},
           sent ${integer}, failures ${integer}, next_at ${integer}, epoch ${integer},
           PRIMARY KEY (subscription_id, order_id, kind)) ${ddl.table}`,
      );
      await runner.query('CREATE INDEX push_notices_by_time ON push_notices (next_at)');
      await runner.query(
        `CREATE TABLE push_presence (user_id ${text(64)}, hub_id ${text(36)}, seen_at ${integer}, is_live ${integer},
           PRIMARY KEY (user_id, hub_id)) ${ddl.table}`,
      );
      await runner.query('CREATE INDEX push_presence_by_time ON push_presence (seen_at)');
      await runner.query(
        `CREATE TABLE vapid_keys (name ${text(16)}, public_key ${text(88)}, private_key ${text(44)}, created_at ${integer},
           PRIMARY KEY (name)) ${ddl.table}`,
      );
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const table of TABLES) await runner.dropTable(table);
    }
  };
}
