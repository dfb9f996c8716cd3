#!/usr/bin/env -S node --disable-proto=delete --max-semi-space-size=64
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

/** The command `order-hub` of the package. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', short: 'p' },
      database: { type: 'string', short: 'd' },
      demo: { type: 'boolean', default: false },
      version: { type: 'boolean', short: 'v', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return printUsage();
  if (values.version) return void process.stdout.write(`${packageVersion()}\n`);
  if (values.demo && values.database !== undefined) throw new Error('--demo has a temporary database of its own.');

  // What is set already wins over the file .env.
  if (values.port !== undefined) process.env.PORT = values.port;
  if (values.database !== undefined) process.env.DATABASE_URL = values.database;
  const entry = values.demo ? '../demo/demo.js' : './main.js';
  // The demo has options of its own.
  process.argv.splice(2);
  await import(entry);
}

function printUsage(): void {
  console.log(`Usage: order-hub [options]

Starts an order hub. Its database is data/order-hub.sqlite in this folder, unless another is given.

  -p, --port <port>       the port to listen on (PORT, 3000)
  -d, --database <url>    sqlite:<file>, or mysql://user:password@host/name (DATABASE_URL)
      --demo              a simulated market on a temporary database
  -v, --version
  -h, --help

All other settings are environment variables, which may stand in a file .env:
docs/configuration.md in the package describes them.`);
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return version;
}

main().catch((error: unknown) => {
  console.error(`${error instanceof Error ? error.message : error}\nSee order-hub --help`);
  process.exit(1);
});
