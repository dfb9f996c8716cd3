import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hasIndex } from './has.index.js';

const TABLE = 'room_events';
const INDEX = 'room_events_by_time';

/** Retention finds old events by room instead: the index by time cost two entries per command. */
export function eventsByRoom1700000002000(): new () => MigrationInterface {
  return class EventsByRoom1700000002000 implements MigrationInterface {
    readonly name = 'EventsByRoom1700000002000';

    async up(runner: QueryRunner): Promise<void> {
      if (await hasIndex(runner, TABLE, INDEX)) await runner.dropIndex(TABLE, INDEX);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`CREATE INDEX ${INDEX} ON ${TABLE} (at)`);
    }
  };
}
