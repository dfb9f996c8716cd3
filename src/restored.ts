import 'reflect-metadata';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { endEverySession } from './auth/session.ending.js';
import { readConfig } from './config.js';
import { Database } from './platform/database/database.js';
import { renumberRooms } from './rooms/room.renumbering.js';

/**
 * Run once after a backup was restored, before the hubs start, with an account that may change the schema: clients that know
 * events of after the backup then learn that they must read their lists again. To run it again does no harm.
 */
async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { databaseUrl } = readConfig(process.env);
  const database = await Database.open(databaseUrl, []);
  try {
    const { head, rooms } = await renumberRooms(database);
    const sessions = await endEverySession(database);
    const done = `${rooms} rooms go on after event ${head}, ${sessions} sessions were ended`;
    console.log(`The restored database (${database.dialect.name}) is ready: ${done}. Start the hubs now.`);
  } finally {
    await database.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
