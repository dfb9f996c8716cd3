import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLE = 'room_events';
const INDEX = 'room_events_by_time';

/** Old events are found by their rooms: the index by time cost each command two entries. */
export function eventsByRoom1700000002000(): new () => MigrationInterface {
  return class EventsByRoom1700000002000 implements MigrationInterface {
    readonly name = 'EventsByRoom1700000002000';

    async up(runner: QueryRunner): Promise<void> {
      // A server cannot take it back if the process dies before this is noted.
      if (await hasIndex(runner)) await runner.dropIndex(TABLE, INDEX);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`CREATE INDEX ${INDEX} ON ${TABLE} (at)`);
    }
  };
}

async function hasIndex(runner: QueryRunner): Promise<boolean> {
  return (await runner.getTable(TABLE))?.indices.some(({ name }) => name === INDEX) ?? false;
}
