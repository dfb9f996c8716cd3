import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import { CommandQueue } from './commands/command.queue.js';
import { RetentionService } from './commands/retention.service.js';
import type { Config } from './config.js';
import { ACTING_FOR_HEADER } from './contract/staff.js';
import { FRAME_BYTES_MAX, KEY_HEADER } from './contract/wire.js';
import { OrderScheduler } from './orders/order.scheduler.js';
import { WordsRetention } from './orders/words.retention.js';
import { servePages } from './pages/pages.js';
import { PaymentScheduler } from './payments/payment.scheduler.js';
import { TestPage } from './payments/test.page.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { CommandRoutes } from './platform/http/command.routes.js';
import { EXPOSED_HEADERS } from './platform/http/exposed.headers.js';
import { listeningAddress } from './platform/http/listening.address.js';
import { readRawBodies } from './platform/http/raw.bodies.js';
import { setServerTimeouts } from './platform/http/server.timeouts.js';
import { SlowReaders } from './platform/http/slow.readers.js';
import { Logger } from './platform/observability/logger.js';
import { REQUEST_ID_HEADER, RequestObserver } from './platform/observability/request.observer.js';
import { corsOrigin } from './platform/sockets/origins.js';
import { SocketAdapter } from './platform/sockets/socket.adapter.js';
import { SocketRegistry } from './platform/sockets/socket.registry.js';
import { PushDispatcher } from './push/push.dispatcher.js';
import { BatchFollower } from './rooms/batch.follower.js';
import type { Extension } from './sandbox/extension.js';
import { WebhookDeliverer } from './webhooks/webhook.deliverer.js';

/** A whole hub, assembled. */
export interface Hub {
  app: NestExpressApplication;
  /** Starts to listen, and returns the address. */
  listen(): Promise<string>;
  /** Resolves, with the reason, when the database is for newer hubs only: this one must stop. */
  refused: Promise<string>;
  /** Takes no new message, answers those in flight, disconnects the sockets and closes the database. */
  close(): Promise<void>;
}

/** The only place that knows of the sandbox, which is imported where it is on. */
export async function createHub(config: Config, logger = new Logger(config)): Promise<Hub> {
  if (!config.sandbox) return assemble(config, logger);
  const { SandboxHub } = await import('./sandbox/sandbox.hub.js');
  return SandboxHub.create(config, logger, (extension) => assemble(config, logger, extension));
}

async function assemble(config: Config, logger: Logger, extension?: Extension): Promise<Hub> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config, logger, extension), {
    bodyParser: false,
    logger,
    abortOnError: false,
  });
  configureHttp(app, config, extension);
  app.useWebSocketAdapter(app.get(SocketAdapter));
  return {
    app,
    refused: app.get(DatabaseModule).refused,
    async listen() {
      setServerTimeouts(app.getHttpServer());
      await app.listen(config.port, config.host);
      app.get(SlowReaders).watch(app.getHttpServer());
      return listeningAddress(app.getHttpServer(), config);
    },
    async close() {
      const sockets = app.get(SocketRegistry);
      sockets.drain();
      const deliveries = [app.get(WebhookDeliverer).stop(), app.get(PushDispatcher).stop()];
      await Promise.all([app.get(OrderScheduler).stop(), app.get(PaymentScheduler).stop()]);
      await sockets.settled();
      await app.get(CommandQueue).idle();
      const periodic = [BatchFollower, RetentionService, WordsRetention].map((service) => app.get(service).stop());
      await Promise.all([...periodic, ...deliveries]);
      await sockets.flushed();
      await app.close();
    },
  };
}

function configureHttp(app: NestExpressApplication, config: Config, extension?: Extension): void {
  app.disable('etag');
  app.use(app.get(RequestObserver).http);
  app.use(helmet());
  extension?.configure(app);
  servePages(app, config);
  // Before the body parser, so that a page of another origin can read why its body was rejected.
  app.enableCors({
    origin: corsOrigin(config),
    allowedHeaders: ['Authorization', 'Content-Type', KEY_HEADER, ACTING_FOR_HEADER, REQUEST_ID_HEADER, 'traceparent'],
    exposedHeaders: EXPOSED_HEADERS,
  });
  readRawBodies(app);
  app.get(TestPage).serve(app);
  app.useBodyParser('json', { limit: FRAME_BYTES_MAX });
  // An extension sees every request.
  if (!extension) serveCommands(app);
}

/** Before Express, which gets what is not a plain command. Socket.IO comes before both when it starts. */
function serveCommands(app: NestExpressApplication): void {
  const server: Server = app.getHttpServer();
  const commands = app.get(CommandRoutes);
  const others = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (commands.handle(request, response)) return;
    for (const listener of others) listener.call(server, request, response);
  });
}
