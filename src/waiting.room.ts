import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from './config.js';
import { Refusal } from './contract/errors.js';
import { createHub, type Hub } from './hub.js';
import { dialectOf } from './platform/dialect.js';
import { mayComeUp } from './platform/driver.errors.js';
import type { Logger } from './platform/logger.js';

const RETRY_MS = 1_000;

/**
 * Creates the hub as soon as its database answers. Until then the process is live and not ready: whoever watches over it
 * need not restart it, and clients are told to come again. `say` is told once that there is something to wait for.
 */
export async function createHubWhenPossible(
  config: Config,
  logger: Logger,
  say: (reason: string) => void,
): Promise<Hub> {
  let room: WaitingRoom | undefined;
  for (;;) {
    try {
      // Asked first, because a hub that cannot be created is a lot of work.
      await dialectOf(config.databaseUrl);
      const hub = await createHub({ ...config, port: room?.port ?? config.port }, logger);
      await room?.close();
      return hub;
    } catch (error) {
      if (!mayComeUp(error)) throw error;
      if (!room) say(String(error));
      room ??= await WaitingRoom.open(config);
      await sleep(RETRY_MS);
    }
  }
}

/** Keeps the port of a hub that is not there yet. A port that was left to choose is chosen now. */
class WaitingRoom {
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async open({ port, host }: Config): Promise<WaitingRoom> {
    const server = createServer(answer);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return new WaitingRoom(server, (server.address() as AddressInfo).port);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  const isLive = url?.startsWith('/health/live');
  const body = isLive ? { status: 'live' } : { error: new Refusal('UNAVAILABLE').toBody() };
  response.writeHead(isLive ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}
