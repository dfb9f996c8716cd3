import type { Span, SpanContext, Tracer } from '@opentelemetry/api';
import type { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { BatchRun, RequestContext } from './request.context.js';

type Api = typeof import('@opentelemetry/api');

/** Errors of the hub itself; the others are regular answers. */
const FAILURE_CODES = new Set(['INTERNAL', 'UNAVAILABLE', 'OVERLOADED']);
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const EXPORT_TIMEOUT_MS = 3_000;

/**
 * Exports traces if an endpoint is configured; otherwise OpenTelemetry is not even loaded. Each message and each batch has a span,
 * linked with each other, and each phase of a batch a child span. Batch spans are created afterwards from measured times, so
 * that the command engine knows nothing of tracing.
 */
export class Tracing {
  private constructor(
    private readonly api?: Api,
    private readonly provider?: BasicTracerProvider,
    private readonly tracer?: Tracer,
  ) {}

  static async start(endpoint: string | undefined, hubId: string): Promise<Tracing> {
    if (endpoint === undefined) return new Tracing();
    const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
    const exporter = new OTLPTraceExporter({
      url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
      timeoutMillis: EXPORT_TIMEOUT_MS,
    });
    const provider = new sdk.BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'order-hub', 'service.instance.id': hubId }),
      // Exports in the background, and drops spans when its queue is full.
      spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
    });
    return new Tracing(api, provider, provider.getTracer('order-hub'));
  }

  /** Starts a message's span, within its sender's trace if it sent a `traceparent`. */
  begin({ id, name, way, since }: RequestContext, traceparent?: string): Span | undefined {
    if (!this.api || !this.tracer) return undefined;
    const { ROOT_CONTEXT, SpanKind, trace } = this.api;
    const remote = this.parse(traceparent);
    const parent = remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
    const attributes = { 'order_hub.way': way, 'order_hub.request_id': id };
    return this.tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: hrTime(since), attributes }, parent);
  }

  end({ span, name, batchNo }: RequestContext, code: string): void {
    if (!span || !this.api) return;
    span.updateName(name);
    span.setAttribute('order_hub.code', code);
    if (batchNo !== undefined) span.setAttribute('order_hub.batch', batchNo);
    if (FAILURE_CODES.has(code)) span.setStatus({ code: this.api.SpanStatusCode.ERROR });
    span.end(hrTime(performance.now()));
  }

  /** A batch's span is in the trace of its first message, and linked with all of them. */
  batch({ batchNo, messages, from, to, phases }: BatchRun): void {
    if (!this.api || !this.tracer) return;
    const { ROOT_CONTEXT, trace } = this.api;
    const contexts = messages.flatMap(({ span }) => span?.spanContext() ?? []);
    const [first] = contexts;
    const batch = this.tracer.startSpan(
      'batch',
      {
        startTime: hrTime(from),
        attributes: { 'order_hub.batch': batchNo, 'order_hub.messages': messages.length },
        links: contexts.map((context) => ({ context })),
      },
      first ? trace.setSpanContext(ROOT_CONTEXT, first) : ROOT_CONTEXT,
    );
    const batchContext = trace.setSpan(ROOT_CONTEXT, batch);
    for (const phase of phases) {
      this.tracer.startSpan(phase.name, { startTime: hrTime(phase.from) }, batchContext).end(hrTime(phase.to));
    }
    batch.end(hrTime(to));
    for (const { span } of messages) span?.addLink({ context: batch.spanContext() });
  }

  /** Exports the remaining spans, if the endpoint is reachable. */
  async stop(): Promise<void> {
    await this.provider?.shutdown().catch(() => {});
  }

  private parse(traceparent: string | undefined): SpanContext | undefined {
    const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
    if (!traceId || !spanId || !flags || !this.api) return undefined;
    const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
    return this.api.isSpanContextValid(context) ? context : undefined;
  }
}

/** A `performance.now()` as seconds and nanoseconds: given as a number, each span would round it by its own clock. */
function hrTime(ms: number): [number, number] {
  const epochMs = performance.timeOrigin + ms;
  return [Math.floor(epochMs / 1_000), Math.round((epochMs % 1_000) * 1_000_000)];
}
