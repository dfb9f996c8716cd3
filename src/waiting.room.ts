import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config.js';
import { Refusal } from './contract/errors.js';
import { createHub, type Hub } from './hub.js';
import { dialectOf, mayComeUp } from './platform/dialect.js';

const RETRY_MS = 1_000;

/**
 * Creates the hub as soon as its database answers. Until then the process is live and not ready: whoever watches over it
 * need not restart it, and clients are told to come again. Gives the port, which is chosen now if it was left to choose.
 */
export async function createHubWhenPossible(config: Config, say: (reason: string) => void): Promise<Hub> {
  if (await databaseAnswers(config, say)) return createHub(config);

  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(config.port, config.host, resolve));
  const { port } = server.address() as AddressInfo;
  do await sleep(RETRY_MS);
  while (!(await databaseAnswers(config)));
  const hub = await createHub({ ...config, port });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return hub;
}

async function databaseAnswers({ databaseUrl }: Config, say?: (reason: string) => void): Promise<boolean> {
  try {
    await dialectOf(databaseUrl);
    return true;
  } catch (error) {
    if (!mayComeUp(error)) throw error;
    say?.(String(error));
    return false;
  }
}

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  const isLive = url?.startsWith('/health/live');
  const body = isLive ? { status: 'live' } : { error: new Refusal('UNAVAILABLE').toBody() };
  response.writeHead(isLive ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}
