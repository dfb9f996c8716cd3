import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, ModuleRef } from '@nestjs/core';
import { CONFIG, type Config } from '../config.js';
import { Connections } from './connections.js';
import { Database } from './database.js';
import { Deadline } from './deadline.js';
import { ErrorFilter } from './error.filter.js';
import { Faults } from './faults.js';
import { HealthController } from './health.controller.js';
import { HintChannel } from './hint.channel.js';
import { Logger } from './logger.js';
import { Metrics } from './metrics.js';

/** What every feature stands on. Knows none of them: the entities are handed in. */
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(private readonly module: ModuleRef) {}

  static with(config: Config, entities: Function[]): DynamicModule {
    const shared = [Logger, Metrics, Database, Faults, Connections, HintChannel];
    return {
      module: PlatformModule,
      global: true,
      controllers: [HealthController],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Logger, useFactory: () => new Logger(config) },
        { provide: Database, useFactory: () => Database.open(config.databaseUrl, entities) },
        { provide: APP_FILTER, useClass: ErrorFilter },
        { provide: APP_INTERCEPTOR, useClass: Deadline },
        Metrics,
        Faults,
        Connections,
        HintChannel,
      ],
      exports: [CONFIG, ...shared],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.module.get(Database).close();
  }
}
