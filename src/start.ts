import 'reflect-metadata';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { readConfig } from './config.js';
import { isLoopback } from './platform/http/loopback.js';
import { describe, Logger } from './platform/observability/logger.js';
import { createHubWhenPossible } from './startup.server.js';

const SHUTDOWN_TIMEOUT_MS = 8_000;
const LOG_FLUSH_TIMEOUT_MS = 1_000;

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = readConfig(process.env);
  const logger = new Logger(config);
  const hub = await createHubWhenPossible(config, logger, (reason) => {
    console.log(`Waiting for the database (${reason})`);
  });
  let isShuttingDown = false;
  const shutDown = (code: number) => {
    // A second signal, or the timeout, exits at once: committed work is durable, and the rest was not acknowledged.
    if (isShuttingDown) {
      void exit(logger, code);
      return;
    }
    isShuttingDown = true;
    setTimeout(() => exit(logger, code), SHUTDOWN_TIMEOUT_MS).unref();
    hub.close().then(
      () => exit(logger, code),
      (error: unknown) => {
        logger.error({ error: describe(error) }, 'the hub did not stop as it should');
        return exit(logger, 1);
      },
    );
  };
  process.on('SIGTERM', () => shutDown(0));
  process.on('SIGINT', () => shutDown(0));
  void hub.refused.then((reason) => {
    console.error(reason);
    shutDown(1);
  });

  const address = await hub.listen();
  if (config.funds === 'open' && !isLoopback(config.host)) {
    logger.warn({ host: config.host }, 'anybody who reaches this hub can make money from nothing: set FUNDS=provider');
  }
  const examples = existsSync('examples/seller.js')
    ? `
  Examples:       HUB_URL=${address} node examples/seller.js
                  HUB_URL=${address} node examples/buyer.js     (in another terminal)`
    : '';
  if (config.sandbox) console.log(`SANDBOX=on: for tests only. Any program of this machine can empty the database.\n`);
  console.log(`Order hub is listening on ${address}

  Web pages:      ${address}
  Health:         curl ${address}/health/ready${examples}
  API documents:  ${address}/docs
  Stop:           Ctrl+C`);
}

/** In one line, with the setting to change. */
function advise(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return `PORT: ${error.message}. Stop what uses it, or set another PORT`;
  if (error.code === 'EADDRNOTAVAIL') return `HOST: ${error.message}. Set HOST to an address of this machine`;
  return error.message;
}

/** Exits the process, by SIGKILL if the log cannot be written in time: `process.exit` would block on it forever. */
async function exit(logger: Logger, code: number): Promise<void> {
  if (await logger.isWritten(LOG_FLUSH_TIMEOUT_MS)) process.exit(code);
  process.kill(process.pid, 'SIGKILL');
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? advise(error) : error);
  process.exit(1);
});
