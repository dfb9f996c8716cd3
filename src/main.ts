import 'reflect-metadata';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { readConfig } from './config.js';
import { createHubWhenPossible } from './waiting.room.js';

const STOP_WITHIN_MS = 8_000;

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = readConfig(process.env);
  const hub = await createHubWhenPossible(config, (reason) => {
    console.log(`The database does not answer yet, waiting for it (${reason})`);
  });
  let stopping = false;
  const stop = () => {
    // Asked twice, or held up by a database that does not answer: what is committed is safe, and the rest was not acknowledged.
    if (stopping) process.exit(0);
    stopping = true;
    setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
    hub.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  const address = await hub.listen();
  console.log(`Order hub is listening on ${address}

  Shop and sell:        ${address}
  Is it well?           curl ${address}/health/ready
  See an order travel:  HUB_URL=${address} node examples/seller.js
                        HUB_URL=${address} node examples/buyer.js     (in another terminal)
  Speak to it:          ${address}/docs
  Stop it:              Ctrl+C`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
