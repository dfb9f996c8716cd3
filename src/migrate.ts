import 'reflect-metadata';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { readConfig } from './config.js';
import { Database } from './platform/database.js';

/**
 * Brings the schema up to date, and ends. The hub does the same at its start; where its account must not be able to change
 * the schema (ops/grants.sql), this is run before it, with one that can.
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
