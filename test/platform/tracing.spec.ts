import { describe, expect, test } from '@jest/globals';
import { TestHub } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { LogBook } from '../support/log.book.js';
import { createTestDatabase } from '../support/test.database.js';
import { type Span, TraceCollector } from '../support/trace.collector.js';

const PHASES = ['load', 'settle', 'save', 'commit'];
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

/** Prints the loaded CommonJS modules at exit. OpenTelemetry's are CommonJS. */
const PRINT_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { createRequire } from 'node:module';
  const { cache } = createRequire('/');
  process.on('exit', () => console.error(Object.keys(cache).join('\\n')));
`)}`;

function attribute({ attributes }: Span, name: string): unknown {
  const value = attributes.find(({ key }) => key === `order_hub.${name}`)?.value;
  return value?.stringValue ?? Number(value?.intValue);
}

describe('traces', () => {
  test('link messages of both transports with their batch and its phases', async () => {
    const collector = await TraceCollector.open();
    const log = new LogBook();
    const hub = await TestHub.start({ traceEndpoint: collector.url, logLevel: 'debug' }, undefined, log);
    const [seller, buyer] = [await hub.seller(), await hub.buyer(0)];
    const { orderId } = await buyer.place(seller);
    await buyer.post('/wallet/deposits', { amount: 10_000 }, { traceparent: `00-${TRACE}-${CALLER}-01` });
    await buyer.post('/wallet/deposits', { amount: 10_000 }, { traceparent: '00-nonsense-01' });
    await buyer.isRefused('order:ship', { orderId });
    // Shutdown flushes the remaining spans.
    await hub.stop();
    await collector.close();

    const batchOf = (message: Span) =>
      collector.named('batch').find((batch) => attribute(batch, 'batch') === attribute(message, 'batch'));
    const [placed] = collector.named('order:place');
    if (!placed) throw new Error('The message has left no span');
    const batch = batchOf(placed);
    expect(attribute(placed, 'code')).toBe('OK');
    expect(batch).toMatchObject({ traceId: placed.traceId, parentSpanId: placed.spanId });
    expect(batch?.links).toMatchObject([{ spanId: placed.spanId }]);
    expect(placed.links).toMatchObject([{ spanId: batch?.spanId }]);
    const phases = collector.spans.filter(({ parentSpanId }) => parentSpanId === batch?.spanId);
    expect(phases.map(({ name }) => name)).toEqual(PHASES);
    for (const phase of phases) {
      expect(BigInt(phase.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(batch?.startTimeUnixNano ?? 0));
      expect(BigInt(phase.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(batch?.endTimeUnixNano ?? 0));
    }

    const deposits = collector.named('POST /wallet/deposits');
    expect(deposits.filter(({ traceId }) => traceId === TRACE)).toMatchObject([{ parentSpanId: CALLER }]);
    expect(deposits.length).toBe(2);
    expect(attribute(collector.named('order:ship')[0] ?? placed, 'code')).toBe('FORBIDDEN');
    expect(JSON.stringify(collector.spans)).not.toContain(buyer.userId);

    const [line] = log.lines('batch');
    expect(line?.hub).toMatch(/^[0-9a-f-]{36}$/);
    expect(collector.resource).toEqual({ 'service.name': 'order-hub', 'service.instance.id': line?.hub });
  });

  test('affect neither commands nor the shutdown when the collector is down', async () => {
    const hub = await TestHub.start({ traceEndpoint: 'http://127.0.0.1:1' });
    const [seller, buyer] = [await hub.seller(), await hub.buyer()];
    const orders = await Promise.all(Array.from({ length: 5 }, () => buyer.place(seller)));
    expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(5);
    await hub.stop();
  });

  test('load no modules when they are disabled', async () => {
    /** The loaded OpenTelemetry modules, except the API, which prom-client depends on. */
    const loadedModules = async (variables: Record<string, string>) => {
      const database = await createTestDatabase();
      const hub = await HubProcess.start(database, { NODE_OPTIONS: `--import=${PRINT_LOADED}`, ...variables });
      await hub.terminate();
      await database.drop();
      return hub.complaints.split('\n').filter((path) => /@opentelemetry.(sdk|exporter)/.test(path));
    };
    expect((await loadedModules({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).length).toBeGreaterThan(0);
    expect(await loadedModules({})).toEqual([]);
  });
});
