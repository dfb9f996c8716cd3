import { Injectable } from '@nestjs/common';
import { v4 as uuid } from 'uuid';
import { type ErrorBody, Refusal } from '../contract/errors.js';
import { Database } from './database.js';
import { describe, Logger } from './logger.js';

/** The one place where whatever was thrown becomes an error of the contract. What is no refusal is logged, and told to nobody. */
@Injectable()
export class Faults {
  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** `about` says in the log what the fault stopped: the id of a message, or of those of a batch. */
  bodyOf(error: unknown, about: { id?: string | undefined; ids?: string[] } = {}): ErrorBody {
    if (error instanceof Refusal) return error.toBody();
    if (this.isUnavailable(error)) return new Refusal('UNAVAILABLE').toBody();
    const errorId = uuid();
    this.logger.error({ errorId, ...about, error: describe(error) }, 'fault');
    return new Refusal('INTERNAL', undefined, { errorId }).toBody();
  }

  isUnavailable(error: unknown): boolean {
    return error instanceof Refusal ? error.code === 'UNAVAILABLE' : this.database.dialect.isUnreachable(error);
  }
}
