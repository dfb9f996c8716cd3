import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AvailabilityMetrics } from '../observability/availability.metrics.js';
import { Logger } from '../observability/logger.js';
import { Metrics } from '../observability/metrics.js';
import { Poller } from '../poller.js';
import { Database } from './database.js';
import { Readiness } from './readiness.js';

const VERSION_INTERVAL_MS = 1_000;

/** A file that was removed must be noticed within a second. */
const FILE_CHECK_INTERVAL_MS = 250;

/**
 * Opens the database with the entities that features name (`TypeOrmModule.forFeature`). Injected repositories are those of the
 * read-only connection: a stray `save()` fails in the database. Writes go through `Database.transaction`, where
 * `tx.withRepository(repository)` is the same repository on the transaction's connection.
 */
@Module({})
export class DatabaseModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly poller: Poller;
  private refuse: (reason: string) => void = () => {};
  /** Resolves, with the reason, when the database has been upgraded for newer hubs: this one must stop. */
  readonly refused = new Promise<string>((resolve) => {
    this.refuse = resolve;
  });

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    metrics: Metrics,
    availability: AvailabilityMetrics,
  ) {
    metrics.observeDatabase(() => database.poolStats);
    availability.observeFailovers(() => database.failovers);
    database.onRetry((cause) => availability.transactionRetried(cause));
    const fileCheck = {
      intervalMs: FILE_CHECK_INTERVAL_MS,
      poll: () => database.checkFile(),
      onFailure: (error: unknown) => logger.error({ error: String(error) }, 'the database file cannot be used now'),
    };
    const versionCheck = {
      intervalMs: VERSION_INTERVAL_MS,
      poll: async () => {
        const reason = await database.findRefusal();
        if (reason !== undefined) this.refuse(reason);
      },
      onFailure: (error: unknown) =>
        logger.warn({ error: String(error) }, 'the version of the database cannot be read now'),
    };
    // Only one process can use an embedded database, and none can upgrade it meanwhile.
    this.poller = new Poller(database.dialect.singleWriter ? fileCheck : versionCheck);
  }

  static forRoot(url: string): DynamicModule {
    let opened: Database | undefined;
    return {
      module: DatabaseModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          // Whether to retry is decided before the hub is created: see startup.server.ts.
          useFactory: () => ({ autoLoadEntities: true, toRetry: () => false }),
          dataSourceFactory: async (options) => {
            opened = await Database.open(url, Object.values(options?.entities ?? []));
            return opened.reader;
          },
        }),
      ],
      // It waits for the data source, whose factory has opened it.
      providers: [{ provide: Database, inject: [DataSource], useFactory: () => opened }, Readiness],
      exports: [Database, Readiness],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    // If the server is down now, the next start checks.
    const unsafe = await this.database.unsafeSettings().catch(() => []);
    for (const { setting, value } of unsafe) {
      const warning = 'a power cut could undo what was acknowledged: the database must have this setting at 1';
      this.logger.warn({ setting, value }, warning);
    }
    this.poller.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.poller.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}
