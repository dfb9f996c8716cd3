import { Injectable } from '@nestjs/common';
import { v4 as uuid } from 'uuid';
import { type ErrorBody, HubError } from '../contract/errors.js';
import { Database } from './database/database.js';
import { isRefused, messageOf } from './database/driver.errors.js';
import { describe, Logger } from './observability/logger.js';

const REPORT_INTERVAL_MS = 10_000;

/** Maps everything that is thrown to an error of the contract. Unexpected errors are logged, and their details withheld. */
@Injectable()
export class ErrorMapper {
  private reportedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** `about` identifies the failed work in the log: the id of a message, or the ids of a batch. */
  toErrorBody(error: unknown, about: { id?: string | undefined; ids?: string[] } = {}): ErrorBody {
    this.reportRefusal(error instanceof HubError ? error.cause : error);
    if (error instanceof HubError) return error.toBody();
    if (this.isUnavailable(error)) return new HubError('UNAVAILABLE').toBody();
    const errorId = uuid();
    this.logger.error({ errorId, ...about, error: describe(error) }, 'fault');
    return new HubError('INTERNAL', undefined, { errorId }).toBody();
  }

  /** Logged for the operator: the clients’ retries cannot succeed until the database’s account or server is repaired. */
  private reportRefusal(error: unknown): void {
    if (error === undefined || !isRefused(error) || performance.now() - this.reportedAt < REPORT_INTERVAL_MS) return;
    this.reportedAt = performance.now();
    this.logger.error({ error: messageOf(error) }, 'the database does not let the hub work');
  }

  isUnavailable(error: unknown): boolean {
    if (error instanceof HubError) return error.code === 'UNAVAILABLE';
    const { dialect } = this.database;
    // A read outside of a transaction loses a race when a cluster's node catches up too late.
    return dialect.isUnreachable(error) || dialect.isConflict(error);
  }
}
