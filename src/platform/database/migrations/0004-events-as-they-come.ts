import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

/**
 * Stores the embedded database's events in order of arrival, with an index by room. Clustered by room, the events of a batch were
 * on twice as many pages, each written for every batch. Servers always cluster by primary key.
 */
export function eventsAsTheyCome1700000003000({ singleWriter, ddl }: Dialect): new () => MigrationInterface {
  const rebuild = async (runner: QueryRunner, ending: string) => {
    if (!singleWriter) return;
    const text = `${ddl.text(64)} NOT NULL`;
    const integer = `${ddl.integer} NOT NULL`;
    const columns = `role ${text}, user_id ${text}, seq ${integer}, body ${ddl.longText} NOT NULL, at ${integer}`;
    await runner.query(`CREATE TABLE new_room_events (${columns}, PRIMARY KEY (role, user_id, seq)) ${ending}`);
    await runner.query('INSERT INTO new_room_events SELECT role, user_id, seq, body, at FROM room_events');
    await runner.query('DROP TABLE room_events');
    await runner.query('ALTER TABLE new_room_events RENAME TO room_events');
  };

  return class EventsAsTheyCome1700000003000 implements MigrationInterface {
    readonly name = 'EventsAsTheyCome1700000003000';

    up(runner: QueryRunner): Promise<void> {
      return rebuild(runner, ddl.table);
    }

    down(runner: QueryRunner): Promise<void> {
      return rebuild(runner, ddl.clustered);
    }
  };
}
