import { Injectable } from '@nestjs/common';
import { type OrderStatus, orderStatuses } from '../contract/lifecycle.js';
import { Database } from '../platform/database.js';
import { Metrics } from '../platform/metrics.js';

const PAUSE_MIN_MS = 15_000;
/** The pause is so many times as long as the count took: counting never takes more than a hundredth of the database's time. */
const PAUSES_PER_COUNT = 100;

type OrderCount = Partial<Record<OrderStatus, number>>;

/**
 * How many orders there are of each status, for those who watch over the hub. Counted when somebody asks, along an index that
 * holds the status, and not again for a while.
 */
@Injectable()
export class OrderCounts {
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

  /** While they cannot be counted it gives what it knows: whoever reads the metrics then needs the others all the more. */
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
