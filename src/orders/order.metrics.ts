import { Injectable } from '@nestjs/common';
import { type OrderStatus, orderStatuses } from '../contract/transitions.js';
import { Database } from '../platform/database/database.js';
import { Metrics } from '../platform/observability/metrics.js';

const PAUSE_MIN_MS = 15_000;
/** The pause is this many times as long as the count took, so that counting takes at most 1 % of the database's time. */
const PAUSES_PER_COUNT = 100;

type OrderCount = Partial<Record<OrderStatus, number>>;

/** The number of orders by status, for the metrics. Counted along an index when the metrics are read, at most every 15 s. */
@Injectable()
export class OrderMetrics {
  private latest: Promise<OrderCount> = Promise.resolve({});
  private nextAt = 0;

  constructor(
    private readonly database: Database,
    metrics: Metrics,
  ) {
    metrics.observeOrders(() => this.byStatus());
  }

  private byStatus(): Promise<OrderCount> {
    if (performance.now() >= this.nextAt) {
      this.nextAt = Number.POSITIVE_INFINITY;
      this.latest = this.countAfter(this.latest);
    }
    return this.latest;
  }

  /** Keeps the last counts while the database is unreachable: the other metrics are needed most then. */
  private async countAfter(earlier: Promise<OrderCount>): Promise<OrderCount> {
    const from = performance.now();
    const counts = await this.count().catch(() => earlier);
    const to = performance.now();
    this.nextAt = to + Math.max(PAUSE_MIN_MS, (to - from) * PAUSES_PER_COUNT);
    return counts;
  }

  private async count(): Promise<OrderCount> {
    const rows: { status: OrderStatus; orders: number }[] = await this.database.read.query(
      'SELECT status, COUNT(*) AS orders FROM orders GROUP BY status',
    );
    const countOf = (status: OrderStatus) => rows.find((row) => row.status === status)?.orders ?? 0;
    return Object.fromEntries(orderStatuses.map((status) => [status, countOf(status)]));
  }
}
