import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Config } from '../config.js';
import { Database } from '../platform/database/database.js';
import { isAway } from '../platform/database/driver.errors.js';
import { listeningAddress } from '../platform/http/listening.address.js';
import { setServerTimeouts } from '../platform/http/server.timeouts.js';
import { SlowReaders } from '../platform/http/slow.readers.js';
import type { Logger } from '../platform/observability/logger.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';
import { emptyDatabase } from './empty.database.js';
import type { ExtendedHub, Extension } from './extension.js';
import { SandboxClock } from './sandbox.clock.js';
import type { SandboxControls } from './sandbox.controls.js';
import { SandboxDispatcher } from './sandbox.dispatcher.js';
import { SandboxMessagesModule, SandboxModule } from './sandbox.module.js';
import { SandboxRequests } from './sandbox.requests.js';
import { SandboxState } from './sandbox.state.js';

const BANNER = 'SANDBOX=on: every program of this machine can move the time of this hub, and empty its database';
const RETRY_INTERVAL_MS = 1_000;

type Assemble = (extension: Extension) => Promise<ExtendedHub>;

/**
 * A hub that can be replaced by a fresh one behind the same address: so a reset forgets everything that is kept in memory,
 * wherever that is. Requests and sockets that come meanwhile wait.
 */
export class SandboxHub implements SandboxControls {
  readonly refused: Promise<string>;
  private refuse: (reason: string) => void = () => {};
  private readonly server: Server = createServer();
  private current!: ExtendedHub;
  /** Resolves when there is a hub to speak to. */
  private ready: Promise<void> = Promise.resolve();
  private last: Promise<unknown> = Promise.resolve();
  private isFollowing = false;
  private isClosing = false;

  private constructor(
    private readonly config: Config,
    private readonly logger: Logger,
    private readonly assemble: Assemble,
  ) {
    this.refused = new Promise((resolve) => {
      this.refuse = resolve;
    });
    this.server.on('request', (...request) => this.pass('request', ...request));
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // A client may leave while it waits.
      socket.on('error', () => {});
      this.pass('upgrade', request, socket, head);
    });
  }

  static async create(config: Config, logger: Logger, assemble: Assemble): Promise<SandboxHub> {
    const hub = new SandboxHub(config, logger, assemble);
    await hub.assembleNext();
    return hub;
  }

  get app(): NestExpressApplication {
    return this.current.app;
  }

  async listen(): Promise<string> {
    setServerTimeouts(this.server);
    await this.open();
    const { port, host } = this.config;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(port, host, resolve);
    });
    this.logger.warn({}, BANNER);
    return listeningAddress(this.server, this.config);
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.ready;
    await this.app.get(SandboxState).stop();
    await this.current.close();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  advance(ms: number): Promise<number> {
    return this.exclusively(() => this.app.get(SandboxClock).advance(ms));
  }

  reset(): Promise<void> {
    return this.exclusively(() => this.replace(emptyDatabase));
  }

  async follow(): Promise<void> {
    if (this.isFollowing) return;
    this.isFollowing = true;
    await this.exclusively(() => this.replace(async () => {})).finally(() => {
      this.isFollowing = false;
    });
  }

  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => {});
    return result;
  }

  private async replace(prepare: (database: Database) => Promise<void>): Promise<void> {
    if (this.isClosing) return;
    let goOn = () => {};
    this.ready = new Promise((resolve) => {
      goOn = resolve;
    });
    try {
      await this.app.get(SandboxState).stop();
      this.app.get(SocketRegistry).endAll('revoked');
      await this.current.close();
      await this.assembleNext();
      await prepare(this.app.get(Database));
      await this.open();
    } catch (error) {
      this.refuse(`The sandbox could not be reset: ${String(error)}`);
      throw error;
    } finally {
      goOn();
    }
  }

  private async assembleNext(): Promise<void> {
    const extension: Extension = {
      module: SandboxModule.with(this),
      dispatcher: SandboxDispatcher,
      dispatcherModule: SandboxMessagesModule,
      configure: (app) => app.use(app.get(SandboxRequests).record),
    };
    const isFirst = this.current === undefined;
    for (;;) {
      try {
        this.current = await this.assemble(extension);
        break;
      } catch (error) {
        if (isFirst || !isAway(error)) throw error;
        await sleep(RETRY_INTERVAL_MS);
      }
    }
    void this.current.refused.then(this.refuse);
    // It never listens itself.
    Object.assign(this.app.getHttpServer(), { address: () => this.server.address() });
  }

  private async open(): Promise<void> {
    await this.app.init();
    this.app.get(SlowReaders).watch(this.app.getHttpServer());
  }

  private pass(event: 'request' | 'upgrade', ...parameters: unknown[]): void {
    void this.ready.then(() => this.app.getHttpServer().emit(event, ...parameters));
  }
}
