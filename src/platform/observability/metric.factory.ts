import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

type Values = number | Record<string, number>;

/** Makes the hub's own metrics, whose names have one prefix. */
export class MetricFactory {
  constructor(private readonly registry: Registry) {}

  counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter(this.named(name, help, labelNames));
  }

  histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ ...this.named(name, help, labelNames), buckets });
  }

  /** A counter of what is counted elsewhere: it is read at each scrape. */
  readCounter(name: string, help: string, read: () => number): void {
    new Counter({
      ...this.named(name, help, []),
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** A gauge that is read at each scrape: one number, or one for each value of a label. */
  observe<Label extends string>(name: string, help: string, read: () => Values | Promise<Values>, label?: Label): void {
    new Gauge({
      ...this.named(name, help, label === undefined ? [] : [label]),
      async collect() {
        const values = await read();
        if (typeof values === 'number') this.set(values);
        else for (const [value, count] of Object.entries(values)) this.labels(value).set(count);
      },
    });
  }

  private named<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return { name: `order_hub_${name}`, help, labelNames, registers: [this.registry] };
  }
}
