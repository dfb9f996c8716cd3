import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CONFIG, type Config } from '../config.js';
import { ClientAddress } from './client.address.js';
import { Clock } from './clock/clock.js';
import { Database } from './database/database.js';
import { DatabaseModule } from './database/database.module.js';
import { Lease } from './database/lease.entity.js';
import { Leases } from './database/leases.js';
import { PageReader } from './database/page.reader.js';
import { ErrorMapper } from './error.mapper.js';
import { AnswerInterceptor } from './http/answer.interceptor.js';
import { ConcurrencyInterceptor } from './http/concurrency.interceptor.js';
import { ErrorFilter } from './http/error.filter.js';
import { ExportStream } from './http/export.stream.js';
import { HealthController } from './http/health.controller.js';
import { HostResolver } from './http/host.resolver.js';
import { ReceiverClient } from './http/receiver.client.js';
import { RequestAdmission } from './http/request.admission.js';
import { SlowReaders } from './http/slow.readers.js';
import { RateLimiter } from './limits/rate.limiter.js';
import { ReadLimiter } from './limits/read.limiter.js';
import { TimeoutInterceptor } from './limits/timeouts.js';
import { AvailabilityMetrics } from './observability/availability.metrics.js';
import { Logger } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import { RequestObserver } from './observability/request.observer.js';
import { SecurityLog } from './observability/security.log.js';
import { Tracing } from './observability/tracing.js';
import { SocketRegistry } from './sockets/socket.registry.js';
import { WakeupChannel } from './wakeup.channel.js';

/** What every feature builds on. It knows none of them. */
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(private readonly tracing: Tracing) {}

  static with(config: Config, logger: Logger): DynamicModule {
    const services = [
      ClientAddress,
      Metrics,
      AvailabilityMetrics,
      RequestObserver,
      SecurityLog,
      ErrorMapper,
      SocketRegistry,
      RateLimiter,
      ReadLimiter,
      PageReader,
      WakeupChannel,
      SlowReaders,
      Leases,
      RequestAdmission,
      ExportStream,
      HostResolver,
      ReceiverClient,
    ];
    return {
      module: PlatformModule,
      global: true,
      // Terminus would log every failed probe; an unreachable database is logged by what needs it.
      imports: [
        TerminusModule.forRoot({ logger: false }),
        DatabaseModule.forRoot(config.databaseUrl),
        TypeOrmModule.forFeature([Lease]),
      ],
      controllers: [HealthController],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Logger, useValue: logger },
        { provide: Tracing, useFactory: () => Tracing.start(config.traceEndpoint, logger.hubId) },
        { provide: Clock, inject: [Database], useFactory: (database: Database) => Clock.start(database, logger) },
        { provide: APP_FILTER, useClass: ErrorFilter },
        { provide: APP_INTERCEPTOR, useClass: TimeoutInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ConcurrencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: AnswerInterceptor },
        ...services,
      ],
      exports: [CONFIG, Logger, Tracing, Clock, ...services],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tracing.stop();
  }
}
