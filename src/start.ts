import 'reflect-metadata';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { readConfig } from './config.js';
import { describe, Logger } from './platform/logger.js';
import { createHubWhenPossible } from './waiting.room.js';

const STOP_WITHIN_MS = 8_000;
const LOG_WITHIN_MS = 1_000;

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = readConfig(process.env);
  const logger = new Logger(config);
  const hub = await createHubWhenPossible(config, logger, (reason) => {
    console.log(`The database does not answer yet, waiting for it (${reason})`);
  });
  let stopping = false;
  const stop = () => {
    // Asked twice, or held up by a database that does not answer: what is committed is safe, and the rest was not acknowledged.
    if (stopping) {
      void leave(logger, 0);
      return;
    }
    stopping = true;
    setTimeout(() => leave(logger, 0), STOP_WITHIN_MS).unref();
    hub.close().then(
      () => leave(logger, 0),
      (error: unknown) => {
        logger.error({ error: describe(error) }, 'the hub did not stop as it should');
        return leave(logger, 1);
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

/** Ends the process. If nobody reads the log, leaving in order would take for ever: it waits for what is being written. */
async function leave(logger: Logger, code: number): Promise<void> {
  if (await logger.isWritten(LOG_WITHIN_MS)) process.exit(code);
  process.kill(process.pid, 'SIGKILL');
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
