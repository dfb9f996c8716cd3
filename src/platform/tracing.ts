import type { Span, SpanContext, Tracer } from '@opentelemetry/api';
import type { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { BatchRun, Message } from './message.js';

type Api = typeof import('@opentelemetry/api');

/** These codes say that the hub failed; the rest are its answers. */
const FAILURES = new Set(['INTERNAL', 'UNAVAILABLE', 'OVERLOADED']);
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const EXPORT_WITHIN_MS = 3_000;

/**
 * Traces, when there is somewhere to send them: a span for each message, one for each batch, linked with its messages, and one
 * for each of the batch's phases. Without an endpoint none of it is even loaded. Spans of batches are made from
 * times that were taken anyway, so the work itself knows nothing of them.
 */
export class Tracing {
  private constructor(
    private readonly api?: Api,
    private readonly provider?: BasicTracerProvider,
    private readonly tracer?: Tracer,
  ) {}

  static async start(endpoint: string | undefined): Promise<Tracing> {
    if (endpoint === undefined) return new Tracing();
    const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
    const exporter = new OTLPTraceExporter({
      url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
      timeoutMillis: EXPORT_WITHIN_MS,
    });
    const provider = new sdk.BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'order-hub' }),
      // Holds so many spans, sends them now and then, and drops what is too much: nothing waits for it.
      spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
    });
    return new Tracing(api, provider, provider.getTracer('order-hub'));
  }

  /** Begins the span of a message, within the trace that its sender has begun, if it says so. */
  begin({ id, name, way, since }: Message, traceparent?: string): Span | undefined {
    if (!this.api || !this.tracer) return undefined;
    const { ROOT_CONTEXT, SpanKind, trace } = this.api;
    const remote = this.read(traceparent);
    const parent = remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
    const attributes = { 'order_hub.way': way, 'order_hub.request_id': id };
    return this.tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: at(since), attributes }, parent);
  }

  end({ span, name, batchNo }: Message, code: string): void {
    if (!span || !this.api) return;
    span.updateName(name);
    span.setAttribute('order_hub.code', code);
    if (batchNo !== undefined) span.setAttribute('order_hub.batch', batchNo);
    if (FAILURES.has(code)) span.setStatus({ code: this.api.SpanStatusCode.ERROR });
    span.end(at(performance.now()));
  }

  /** A batch belongs to the trace of its first message, and is linked with all of them. */
  batch({ batchNo, messages, from, to, phases }: BatchRun): void {
    if (!this.api || !this.tracer) return;
    const { ROOT_CONTEXT, trace } = this.api;
    const contexts = messages.flatMap(({ span }) => span?.spanContext() ?? []);
    const [first] = contexts;
    const batch = this.tracer.startSpan(
      'batch',
      {
        startTime: at(from),
        attributes: { 'order_hub.batch': batchNo, 'order_hub.messages': messages.length },
        links: contexts.map((context) => ({ context })),
      },
      first ? trace.setSpanContext(ROOT_CONTEXT, first) : ROOT_CONTEXT,
    );
    const within = trace.setSpan(ROOT_CONTEXT, batch);
    for (const phase of phases) {
      this.tracer.startSpan(phase.name, { startTime: at(phase.from) }, within).end(at(phase.to));
    }
    batch.end(at(to));
    for (const { span } of messages) span?.addLink({ context: batch.spanContext() });
  }

  /** Sends what is left, unless the endpoint is away. */
  async stop(): Promise<void> {
    await this.provider?.shutdown().catch(() => {});
  }

  private read(traceparent: string | undefined): SpanContext | undefined {
    const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
    if (!traceId || !spanId || !flags || !this.api) return undefined;
    const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
    return this.api.isSpanContextValid(context) ? context : undefined;
  }
}

/** A time by `performance.now()` as seconds and nanoseconds: given as a number, each span would round it by a clock of its own. */
function at(ms: number): [number, number] {
  const epochMs = performance.timeOrigin + ms;
  return [Math.floor(epochMs / 1_000), Math.round((epochMs % 1_000) * 1_000_000)];
}
