import { type DynamicModule, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, ModuleRef } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { CONFIG, type Config } from '../config.js';
import { Bounded } from './bounded.js';
import { Connections } from './connections.js';
import { Database } from './database.js';
import { Deadline } from './deadline.js';
import { ErrorFilter } from './error.filter.js';
import { Faults } from './faults.js';
import { HealthController } from './health.controller.js';
import { HintChannel } from './hint.channel.js';
import { Journal } from './journal.js';
import { Limits } from './limits.js';
import { Logger } from './logger.js';
import { Metrics } from './metrics.js';
import { SecurityLog } from './security.log.js';
import { Tracing } from './tracing.js';

/** What every feature stands on. Knows none of them: the entities are handed in. */
@Module({})
export class PlatformModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly module: ModuleRef) {}

  static with(config: Config, entities: Function[], logger: Logger): DynamicModule {
    const shared = [Logger, Metrics, Journal, SecurityLog, Tracing, Database, Faults, Connections, Limits, HintChannel];
    return {
      module: PlatformModule,
      global: true,
      // It logs nothing by itself: whoever asks is told, and a database that went away is logged by those who miss it.
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Logger, useValue: logger },
        { provide: Database, useFactory: () => Database.open(config.databaseUrl, entities) },
        { provide: Tracing, useFactory: () => Tracing.start(config.traceEndpoint) },
        { provide: APP_FILTER, useClass: ErrorFilter },
        { provide: APP_INTERCEPTOR, useClass: Deadline },
        { provide: APP_INTERCEPTOR, useClass: Bounded },
        Metrics,
        Journal,
        SecurityLog,
        Faults,
        Connections,
        Limits,
        HintChannel,
      ],
      exports: [CONFIG, ...shared],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    // A server that goes away just now is asked at the next start.
    const unsafe = await this.module
      .get(Database)
      .unsafeSettings()
      .catch(() => []);
    for (const { setting, value } of unsafe) {
      const warning = 'a power cut could undo what was acknowledged: the database must have this setting at 1';
      this.module.get(Logger).warn({ setting, value }, warning);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.module.get(Tracing).stop();
    await this.module.get(Database).close();
  }
}
