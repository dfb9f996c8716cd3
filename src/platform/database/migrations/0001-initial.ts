import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';
import { hasIndex } from './has.index.js';

/**
 * The initial schema. Rows that batches lock (stock, wallets, rooms) are in narrow tables, apart from what batches do not read (a
 * book's texts). Times are epoch milliseconds, set by the hub.
 */
export function initial1700000000000({ ddl }: Dialect): new () => MigrationInterface {
  const id = `${ddl.text(64)} NOT NULL`;
  const integer = `${ddl.integer} NOT NULL`;
  const time = integer;
  const timeOrNull = `${ddl.integer} NULL`;
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const textOrNull = (characters: number) => `${ddl.text(characters)} NULL`;
  const longText = `${ddl.longText} NOT NULL`;
  const longTextOrNull = `${ddl.longText} NULL`;

  const { quote } = ddl;
  /** The referenced column has the same name, except for a store's owner. */
  const foreignKey = (name: string, column: string, table: string) => {
    const key = column === 'owner_id' ? 'user_id' : column;
    return `CONSTRAINT ${quote(name)} FOREIGN KEY (${quote(column)}) REFERENCES ${quote(table)} (${quote(key)}) ON DELETE RESTRICT ON UPDATE RESTRICT`;
  };

  const statements = [
    `CREATE TABLE users (user_id ${id}, password_hash ${text(200)}, created_at ${time}, unregistered_at ${timeOrNull},
       PRIMARY KEY (user_id)) ${ddl.table}`,

    `CREATE TABLE sessions (token_hash ${text(64)}, user_id ${id}, terminal ${textOrNull(100)}, created_at ${time}, expires_at ${time},
       PRIMARY KEY (token_hash), ${foreignKey('fk_sessions_user', 'user_id', 'users')}) ${ddl.table}`,
    'CREATE INDEX sessions_by_user ON sessions (user_id)',
    'CREATE INDEX sessions_by_end ON sessions (expires_at)',
    `CREATE TABLE ended_sessions (token_hash ${text(64)}, user_id ${id}, reason ${text(16)}, at ${time},
       PRIMARY KEY (token_hash)) ${ddl.table}`,
    'CREATE INDEX ended_sessions_by_time ON ended_sessions (at)',

    `CREATE TABLE wallets (user_id ${id}, balance ${integer} CHECK (balance >= 0), entries ${integer},
       PRIMARY KEY (user_id)) ${ddl.table}`,
    `CREATE TABLE wallet_entries (user_id ${id}, entry_no ${integer}, amount ${integer}, balance ${integer} CHECK (balance >= 0),
       kind ${text(16)}, order_id ${textOrNull(36)}, at ${time}, PRIMARY KEY (user_id, entry_no)) ${ddl.table}`,

    `CREATE TABLE stores (store_id ${id}, name ${textOrNull(500)}, owner_id ${id}, created_at ${time},
       PRIMARY KEY (store_id), ${foreignKey('fk_stores_owner', 'owner_id', 'users')}) ${ddl.table}`,
    'CREATE INDEX stores_by_owner ON stores (owner_id, store_id)',
    `CREATE TABLE books (${quote('book_no')} ${ddl.serial}, store_id ${id}, book_id ${id}, title ${text(500)}, price ${integer} CHECK (price >= 0),
       low_mark ${integer}, ${foreignKey('fk_books_store', 'store_id', 'stores')}) ${ddl.table}`,
    'CREATE UNIQUE INDEX books_by_id ON books (store_id, book_id)',
    'CREATE INDEX books_by_store ON books (store_id, book_no)',
    `CREATE TABLE book_texts (book_no ${integer}, author ${textOrNull(300)}, publisher ${textOrNull(300)}, isbn ${textOrNull(32)},
       tags ${longTextOrNull}, summary ${longTextOrNull}, cover_url ${longTextOrNull}, details ${longTextOrNull},
       folded_title ${longText}, folded_author ${longText}, folded_tags ${longText}, folded_summary ${longText},
       PRIMARY KEY (book_no), ${foreignKey('fk_book_texts_book', 'book_no', 'books')}) ${ddl.table}`,
    `CREATE TABLE book_stock (book_no ${integer}, stock ${integer} CHECK (stock >= 0), PRIMARY KEY (book_no)) ${ddl.table}`,
    `CREATE TABLE book_grams (gram ${text(3)}, book_no ${integer}, PRIMARY KEY (gram, book_no)) ${ddl.clustered}`,

    `CREATE TABLE orders (order_id ${text(36)}, store_id ${id}, buyer_id ${id}, seller_id ${id}, status ${text(16)}, version ${integer},
       total ${integer} CHECK (total >= 0), items ${longText}, timeline ${longText},
       placed_at ${time}, expires_at ${time}, paid_at ${timeOrNull}, shipped_at ${timeOrNull}, received_at ${timeOrNull}, cancelled_at ${timeOrNull},
       due_at ${timeOrNull}, carrier ${textOrNull(100)}, tracking_no ${textOrNull(100)}, cancel_reason ${textOrNull(500)},
       PRIMARY KEY (order_id)) ${ddl.table}`,
    'CREATE INDEX orders_by_buyer ON orders (buyer_id, order_id)',
    'CREATE INDEX orders_by_seller ON orders (seller_id, order_id)',
    'CREATE INDEX orders_by_seller_status ON orders (seller_id, status, order_id)',
    'CREATE INDEX orders_by_due ON orders (due_at)',

    `CREATE TABLE rooms (role ${text(6)}, user_id ${id}, head ${integer}, PRIMARY KEY (role, user_id)) ${ddl.table}`,
    `CREATE TABLE room_events (role ${text(6)}, user_id ${id}, seq ${integer}, body ${longText}, at ${time},
       PRIMARY KEY (role, user_id, seq)) ${ddl.clustered}`,

    `CREATE TABLE command_answers (user_id ${id}, idem_key ${text(64)}, message_hash ${text(64)}, answer ${longText}, at ${time},
       PRIMARY KEY (user_id, idem_key)) ${ddl.table}`,
    `CREATE TABLE hub_batches (node_id ${text(36)}, batch_no ${integer}, rooms ${longText}, at ${time},
       PRIMARY KEY (node_id, batch_no)) ${ddl.table}`,
  ];

  return class Initial1700000000000 implements MigrationInterface {
    readonly name = 'Initial1700000000000';

    async up(runner: QueryRunner): Promise<void> {
      // On a server, an interrupted first start leaves its tables behind: continue where it ended.
      const wasBegun = await runner.hasTable('users');
      for (const statement of statements) {
        if (!wasBegun || !(await isDone(runner, statement))) await runner.query(statement);
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      const tables = statements.flatMap((statement) => /^CREATE TABLE (\w+)/.exec(statement)?.[1] ?? []);
      for (const table of tables.reverse()) await runner.query(`DROP TABLE ${table}`);
    }
  };
}

/** Whether the table or index that a statement creates exists already. */
function isDone(runner: QueryRunner, statement: string): Promise<boolean> {
  const [, table, index = '', indexed = ''] =
    /^CREATE (?:TABLE (\w+)|(?:UNIQUE )?INDEX (\w+) ON (\w+))/.exec(statement) ?? [];
  return table === undefined ? hasIndex(runner, indexed, index) : runner.hasTable(table);
}
