import type { Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import { SessionsService } from './auth/sessions.service.js';
import { CommandQueue } from './commands/command.queue.js';
import { DueWatch } from './commands/due.watch.js';
import { Keeping } from './commands/keeping.js';
import type { Config } from './config.js';
import { FRAME_BYTES_MAX, KEY_HEADER, REPLAYED_HEADER, SEQ_HEADER } from './contract/wire.js';
import { OrdersGateway } from './orders/orders.gateway.js';
import { servePages } from './pages/pages.js';
import { adminUi } from './platform/admin.ui.js';
import { Connections } from './platform/connections.js';
import { Faults } from './platform/faults.js';
import { Journal, REQUEST_ID_HEADER } from './platform/journal.js';
import { Limits } from './platform/limits.js';
import { Logger } from './platform/logger.js';
import { SecurityLog } from './platform/security.log.js';
import { SocketAdapter } from './platform/socket.adapter.js';
import { HubWatch } from './rooms/hub.watch.js';

/** Longer than the minute for which proxies keep a connection: one that the hub has just closed would be used once more. */
const KEEP_ALIVE_MS = 75_000;

/** As long as a socket has to say who it is. */
const HEADERS_WITHIN_MS = 5_000;
/** A body of 64 KB over a bad line. */
const REQUEST_WITHIN_MS = 30_000;
const CHECKING_EVERY_MS = 500;

/** A whole hub, assembled. */
export interface Hub {
  app: NestExpressApplication;
  /** Starts to listen, and gives the address. */
  listen(): Promise<string>;
  /** Takes no new message, answers those under way, cuts the sockets, closes the database. */
  close(): Promise<void>;
}

export async function createHub(config: Config, logger = new Logger(config)): Promise<Hub> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config, logger), {
    bodyParser: false,
    logger,
    abortOnError: false,
  });
  speakHttp(app, config);
  await speakSockets(app, config);
  return {
    app,
    async listen() {
      boundConnections(app.getHttpServer());
      await app.listen(config.port, config.host);
      const address = app.getHttpServer().address();
      const port = typeof address === 'object' && address !== null ? address.port : config.port;
      return `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
    },
    async close() {
      const connections = app.get(Connections);
      connections.drain();
      await app.get(DueWatch).stop();
      await connections.answered();
      await app.get(CommandQueue).idle();
      await Promise.all([app.get(HubWatch).stop(), app.get(Keeping).stop()]);
      await connections.told();
      await app.close();
    },
  };
}

/** A connection that says nothing, or says it letter by letter, is not kept. */
function boundConnections(server: Server): void {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_WITHIN_MS;
  server.requestTimeout = REQUEST_WITHIN_MS;
  // Node looks twice a minute, and lets nobody say otherwise once the server is made but by its own field.
  Object.assign(server, { connectionsCheckingInterval: CHECKING_EVERY_MS });
}

function speakHttp(app: NestExpressApplication, config: Config): void {
  // One proxy: believing every hop would let clients name their own address.
  app.set('trust proxy', config.trustProxy ? 1 : false);
  app.disable('etag');
  app.use(app.get(Journal).http);
  app.use(helmet());
  servePages(app);
  // Before bodies are read: a page elsewhere must be able to read why its body was refused.
  app.enableCors({
    origin: config.allowedOrigins,
    allowedHeaders: ['Authorization', 'Content-Type', KEY_HEADER, REQUEST_ID_HEADER, 'traceparent'],
    exposedHeaders: [SEQ_HEADER, REPLAYED_HEADER, REQUEST_ID_HEADER, 'Retry-After'],
  });
  app.useBodyParser('json', { limit: FRAME_BYTES_MAX });
}

async function speakSockets(app: NestExpressApplication, config: Config): Promise<void> {
  const sessions = app.get(SessionsService);
  app.useWebSocketAdapter(
    new SocketAdapter(app, {
      authenticate: (token) => sessions.authenticate(token),
      handlers: app.get(OrdersGateway),
      queue: app.get(CommandQueue),
      connections: app.get(Connections),
      limits: app.get(Limits),
      faults: app.get(Faults),
      journal: app.get(Journal),
      security: app.get(SecurityLog),
      adminUi: await adminUi(config.adminPassword),
      config,
    }),
  );
}
