import { Injectable } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { type OutageCause, outageCauses, type RetryCause } from '../database/error.causes.js';
import { MetricFactory } from './metric.factory.js';
import { Metrics } from './metrics.js';

/** What is deleted after its keeping time: values of the label `rows`. */
export type KeptRows = 'events-and-answers' | 'addresses-and-notes';

/** Metrics of what a hub stands on: the database and its cluster, Redis, the other hubs, and the work that one of them does. */
@Injectable()
export class AvailabilityMetrics {
  private readonly make: MetricFactory;
  private readonly retries: Counter<'cause'>;
  private readonly undoneForMs: Partial<Record<KeptRows, () => number>> = {};

  constructor({ registry }: Metrics) {
    this.make = new MetricFactory(registry);
    this.retries = this.make.counter(
      'transactions_retried_total',
      'Transactions run again, by cause: certification (another member of the cluster wrote the same row), connection-lost, deadlock, duplicate (another hub inserted the same key) or lock-wait.',
      ['cause'],
    );
    const help =
      'Time since all rows past their keeping time were last deleted, by any hub: an hour and a little, while all is well.';
    this.make.observe('retention_lag_seconds', help, () => this.retentionLags(), 'rows');
  }

  transactionRetried(cause: RetryCause): void {
    this.retries.inc({ cause });
  }

  observeFailovers(count: () => number): void {
    const help = 'Times that this hub has moved to another host of DATABASE_URL, because that takes the writes now.';
    this.make.readCounter('database_failovers_total', help, count);
  }

  observeReady(isReady: () => Promise<0 | 1>): void {
    this.make.observe('ready', 'Whether the hub is ready, as GET /health/ready says: 1 or 0.', isReady);
  }

  observeOutage(cause: () => Promise<OutageCause | undefined>): void {
    const help =
      'Why the trial write of the readiness check fails: 1 for the present cause, 0 for the others: no-quorum (the node is outside of its cluster), read-only, refused (account or settings), timeout, unreachable or other.';
    const read = async () => {
      const present = await cause();
      return Object.fromEntries(outageCauses.map((one) => [one, one === present ? 1 : 0]));
    };
    this.make.observe('database_outage', help, read, 'cause');
  }

  observeRedis(isUp: () => Promise<boolean | undefined>): void {
    const help = 'Whether a wakeup of this hub comes back over Redis: 1 or 0, and -1 if no Redis is configured.';
    this.make.observe('redis_up', help, async () => {
      const answer = await isUp();
      return answer === undefined ? -1 : Number(answer);
    });
  }

  observeBatchLog(lagMs: () => number): void {
    const help =
      "Age of this hub's picture of what other hubs have committed: a quarter of a second at most, while all is well.";
    this.make.observe('batch_log_lag_seconds', help, () => lagMs() / 1_000);
  }

  observeRetention(rows: KeptRows, undoneForMs: () => number): void {
    this.undoneForMs[rows] = undoneForMs;
  }

  private retentionLags(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.undoneForMs).map(([rows, read]) => [rows, read() / 1_000]));
  }
}
