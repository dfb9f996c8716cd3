import { Injectable } from '@nestjs/common';
import { SharedCheck } from '../limits/shared.check.js';
import { Logger } from '../observability/logger.js';
import { Database } from './database.js';
import { codeOf, messageOf } from './driver.errors.js';

/** A database that answers later counts as down. With the time of reuse, an outage shows within three seconds. */
const WRITE_TIMEOUT_MS = 1_500;
const REUSE_MS = 1_000;

/** Whether the database can do what commands need now, found out by trying it. */
@Injectable()
export class Readiness {
  private isDown = false;
  private readonly write: SharedCheck;

  constructor(
    database: Database,
    private readonly logger: Logger,
  ) {
    this.write = new SharedCheck({
      check: () => database.tryWrite(),
      timeoutMs: WRITE_TIMEOUT_MS,
      reuseMs: REUSE_MS,
      onOutcome: (isUp, error) => this.logChange(!isUp, error),
    });
  }

  /** Never rejects; false at the latest after 1.5 seconds. */
  isUp(): Promise<boolean> {
    return this.write.passes();
  }

  private logChange(isDown: boolean, error: unknown): void {
    if (isDown === this.isDown) return;
    this.isDown = isDown;
    if (!isDown) this.logger.info({}, 'the database works again: ready');
    else
      this.logger.warn({ code: codeOf(error), error: messageOf(error) }, 'the database cannot be written: not ready');
  }
}
