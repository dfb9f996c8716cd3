import { Injectable } from '@nestjs/common';
import { type OrderStatus, orderStatuses } from '../contract/lifecycle.js';
import { Database } from '../platform/database.js';
import { Metrics } from '../platform/metrics.js';

const PAUSE_MIN_MS = 15_000;
/** The pause is so many times as long as the count took: counting never takes more than a hundredth of the database's time. */
const PAUSES_PER_COUNT = 100;

/**
 * How many orders there are of each status, for those who watch over the hub. Counted when somebody asks, along an index that
 * holds the status, and not again for a while.
 */
@Injectable()
export class OrderCounts {
  private counts: Record<OrderStatus, number> | undefined;
  private nextAt = 0;

  constructor(
    private readonly database: Database,
    metrics: Metrics,
  ) {
    metrics.observeOrders(() => this.byStatus());
  }

  /** While they cannot be counted it gives what it knows: whoever reads the metrics then needs the others all the more. */
  private async byStatus(): Promise<Partial<Record<OrderStatus, number>>> {
    const from = performance.now();
    if (from >= this.nextAt) {
      this.nextAt = from + PAUSE_MIN_MS;
      this.counts = await this.count().catch(() => this.counts);
      const to = performance.now();
      this.nextAt = to + Math.max(PAUSE_MIN_MS, (to - from) * PAUSES_PER_COUNT);
    }
    return this.counts ?? {};
  }

  private async count(): Promise<Record<OrderStatus, number>> {
    const rows: { status: OrderStatus; orders: number }[] = await this.database.read.query(
      'SELECT status, COUNT(*) AS orders FROM orders GROUP BY status',
    );
    const countOf = (status: OrderStatus) => rows.find((row) => row.status === status)?.orders ?? 0;
    return Object.fromEntries(orderStatuses.map((status) => [status, countOf(status)])) as Record<OrderStatus, number>;
  }
}
