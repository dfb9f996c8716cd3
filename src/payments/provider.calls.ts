import { Injectable } from '@nestjs/common';
import { HubError } from '../contract/errors.js';
import { ConcurrencyLimiter } from '../platform/limits/concurrency.limiter.js';
import { withTimeout } from '../platform/limits/timeouts.js';
import { describe, Logger } from '../platform/observability/logger.js';

/** A provider that has not answered by then is out of reach. */
const CALL_TIMEOUT_MS = 10_000;
/** Calls to the provider at a time, and for one user. Those of a mute one hold nothing but their memory. */
const CALLS_MAX = 32;
const CALLS_PER_USER_MAX = 2;
const QUEUED_CALLS_MAX = 1_000;
const QUEUED_CALLS_PER_USER_MAX = 20;

/** Calls the payment provider: in bounded number and time, and never inside a transaction. */
@Injectable()
export class ProviderCalls {
  private readonly limiter = new ConcurrencyLimiter({
    maxConcurrent: CALLS_MAX,
    maxQueued: QUEUED_CALLS_MAX,
    maxConcurrentPerKey: CALLS_PER_USER_MAX,
    maxQueuedPerKey: QUEUED_CALLS_PER_USER_MAX,
  });

  constructor(private readonly logger: Logger) {}

  /** Rejects with `UNAVAILABLE` if the provider is out of reach, or with the error of the contract that it throws. */
  async run<T>(userId: string, call: () => Promise<T>): Promise<T> {
    return this.limiter.run(
      async () => {
        try {
          return await withTimeout(call(), CALL_TIMEOUT_MS);
        } catch (error) {
          if (error instanceof HubError && error.code !== 'UNAVAILABLE') throw error;
          this.logger.warn({ error: describe(error) }, 'the payment provider did not answer as it should');
          throw new HubError('UNAVAILABLE');
        }
      },
      { key: userId },
    );
  }
}
