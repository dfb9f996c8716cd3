import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hasIndex } from './has.index.js';

const TABLE = 'room_events';
const INDEX = 'room_events_by_time';

/** Old events are found by their rooms: the index by time cost each command two entries. */
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
