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
import { Logger } from './platform/logger.js';
import { SecurityLog } from './platform/security.log.js';
import { SocketAdapter } from './platform/socket.adapter.js';
import { HubWatch } from './rooms/hub.watch.js';

/** Longer than the minute for which proxies keep a connection: one that the hub has just closed would be used once more. */
const KEEP_ALIVE_MS = 75_000;

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
      app.getHttpServer().keepAliveTimeout = KEEP_ALIVE_MS;
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
      await app.close();
    },
  };
}

function speakHttp(app: NestExpressApplication, config: Config): void {
  app.set('trust proxy', config.trustProxy);
  app.disable('etag');
  app.use(app.get(Journal).http);
  app.use(helmet());
  servePages(app);
  app.useBodyParser('json', { limit: FRAME_BYTES_MAX });
  app.enableCors({
    origin: config.allowedOrigins,
    allowedHeaders: ['Authorization', 'Content-Type', KEY_HEADER, REQUEST_ID_HEADER, 'traceparent'],
    exposedHeaders: [SEQ_HEADER, REPLAYED_HEADER, REQUEST_ID_HEADER, 'Retry-After'],
  });
}

async function speakSockets(app: NestExpressApplication, config: Config): Promise<void> {
  const sessions = app.get(SessionsService);
  app.useWebSocketAdapter(
    new SocketAdapter(app, {
      authenticate: (token) => sessions.authenticate(token),
      handlers: app.get(OrdersGateway),
      connections: app.get(Connections),
      faults: app.get(Faults),
      journal: app.get(Journal),
      security: app.get(SecurityLog),
      adminUi: await adminUi(config.adminPassword),
      config,
    }),
  );
}
