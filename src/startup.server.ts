import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config.js';
import { HubError } from './contract/errors.js';
import { createHub, type Hub } from './hub.js';
import { dialectOf } from './platform/database/dialect.resolver.js';
import { isAway } from './platform/database/driver.errors.js';
import type { Logger } from './platform/observability/logger.js';

const RETRY_INTERVAL_MS = 1_000;

/**
 * Creates the hub, retrying until its database can be reached. Meanwhile the process is live but not ready, so that an
 * orchestrator does not restart it, and every other request gets `UNAVAILABLE`. Calls `onWaiting` once, with the reason, if
 * it has to wait.
 */
export async function createHubWhenPossible(
  config: Config,
  logger: Logger,
  onWaiting: (reason: string) => void,
): Promise<Hub> {
  let startupServer: StartupServer | undefined;
  for (;;) {
    try {
      // Checked first, because creating a hub is expensive.
      await dialectOf(config.databaseUrl);
      const hub = await createHub({ ...config, port: startupServer?.port ?? config.port }, logger);
      await startupServer?.close();
      return hub;
    } catch (error) {
      if (!isAway(error)) throw error;
      if (!startupServer) onWaiting(String(error));
      startupServer ??= await StartupServer.open(config);
      await sleep(RETRY_INTERVAL_MS);
    }
  }
}

/** Holds the hub's port until the hub is created. Port 0 is resolved here, so that the hub gets the same port. */
class StartupServer {
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async open({ port, host }: Config): Promise<StartupServer> {
    const server = createServer(respond);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return new StartupServer(server, (server.address() as AddressInfo).port);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function respond({ url }: IncomingMessage, response: ServerResponse): void {
  const isLive = url?.startsWith('/health/live');
  const body = isLive ? { status: 'live' } : { error: new HubError('UNAVAILABLE').toBody() };
  response.writeHead(isLive ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}
