import 'reflect-metadata';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { readConfig } from './config.js';
import { Database } from './platform/database/database.js';

/**
 * Runs the migrations and exits. The hub does the same when it starts; if its database account may not change the schema
 * (ops/grants.sql), run this first with an account that may.
 */
async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { databaseUrl } = readConfig(process.env);
  const database = await Database.open(databaseUrl, []);
  await database.close();
  console.log(`The schema is up to date (${database.dialect.name})`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
