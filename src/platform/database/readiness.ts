import { Injectable } from '@nestjs/common';
import { SharedCheck } from '../limits/shared.check.js';
import { Logger } from '../observability/logger.js';
import { Database } from './database.js';
import { codeOf, messageOf } from './driver.errors.js';
import { type OutageCause, outageCauseOf } from './error.causes.js';

/** A database that answers later counts as down. With the time of reuse, an outage shows within three seconds. */
const WRITE_TIMEOUT_MS = 1_500;
const REUSE_MS = 1_000;

/** Whether the database can do what commands need now, found out by trying it. */
@Injectable()
export class Readiness {
  /** Why the last trial write failed, if it did. */
  private cause: OutageCause | undefined;
  private readonly write: SharedCheck;

  constructor(
    database: Database,
    private readonly logger: Logger,
  ) {
    this.write = new SharedCheck({
      check: () => database.tryWrite(),
      timeoutMs: WRITE_TIMEOUT_MS,
      reuseMs: REUSE_MS,
      onOutcome: (isUp, error) => this.record(isUp ? undefined : outageCauseOf(error), error),
    });
  }

  /** Never rejects; false at the latest after 1.5 seconds. */
  isUp(): Promise<boolean> {
    return this.write.passes();
  }

  /** Why the database cannot be written now, if it cannot. */
  async outage(): Promise<OutageCause | undefined> {
    const isUp = await this.isUp();
    return isUp ? undefined : (this.cause ?? 'timeout');
  }

  private record(cause: OutageCause | undefined, error: unknown): void {
    const hasChanged = (cause === undefined) !== (this.cause === undefined);
    this.cause = cause;
    if (!hasChanged) return;
    if (cause === undefined) this.logger.info({}, 'the database works again: ready');
    else
      this.logger.warn({ code: codeOf(error), error: messageOf(error) }, 'the database cannot be written: not ready');
  }
}
