import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hasIndex } from './has.index.js';

/** Indexes by time, for the retention of events and answers. */
export function keeping1700000001000(): new () => MigrationInterface {
  const indexes = { room_events_by_time: 'room_events', command_answers_by_time: 'command_answers' };

  return class Keeping1700000001000 implements MigrationInterface {
    readonly name = 'Keeping1700000001000';

    async up(runner: QueryRunner): Promise<void> {
      for (const [index, table] of Object.entries(indexes)) {
        if (!(await hasIndex(runner, table, index))) await runner.query(`CREATE INDEX ${index} ON ${table} (at)`);
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const [index, table] of Object.entries(indexes)) await runner.dropIndex(table, index);
    }
  };
}
