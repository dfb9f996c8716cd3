import 'reflect-metadata';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { readConfig } from './config.js';
import { createHub } from './hub.js';

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = readConfig(process.env);
  const hub = await createHub(config);
  const stop = () => {
    hub.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  const address = await hub.listen();
  console.log(`Order hub is listening on ${address}

  Is it well?           curl ${address}/health/ready
  See an order travel:  HUB_URL=${address} node examples/seller.js
                        HUB_URL=${address} node examples/buyer.js     (in another terminal)
  Stop it:              Ctrl+C`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
