import type { MigrationInterface } from 'typeorm';
import type { Dialect } from '../dialect.js';
import { initial1700000000000 } from './0001-initial.js';
import { keeping1700000001000 } from './0002-keeping.js';
import { eventsByRoom1700000002000 } from './0003-events-by-room.js';
import { eventsAsTheyCome1700000003000 } from './0004-events-as-they-come.js';

/** Every migration, oldest first. TypeORM keeps their names in the database and runs those that are missing. */
export function migrations(dialect: Dialect): (new () => MigrationInterface)[] {
  return [
    initial1700000000000(dialect),
    keeping1700000001000(),
    eventsByRoom1700000002000(),
    eventsAsTheyCome1700000003000(dialect),
  ];
}
