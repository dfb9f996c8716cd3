import { HubError } from '../contract/errors.js';
import { parse } from '../contract/parse.js';
import { takesKey } from '../contract/row.js';
import { type Answer, type Data, type MessageName, messages, type Request } from '../contract/wire.js';
import type { CallOptions, ClientErrorCode } from './hub.client.js';
import { newKey, retryDelayMs } from './retry.js';

/** Calls beyond this many in flight wait in the client rather than in the hub's backlog. */
const IN_FLIGHT_MAX = 64;

/** Sends one message over the current connection. `respond` is not called if the connection is lost first. */
export type Post = (name: MessageName, request: object, respond: (answer: Answer<unknown>) => void) => void;

interface Call {
  name: MessageName;
  request: object;
  /** The order that the call is about, if any: calls about one order are sent one at a time, in the order made. */
  orderId: string | undefined;
  stage: 'queued' | 'in flight' | 'backing off';
  failures: number;
  resolve(data: unknown): void;
  reject(error: unknown): void;
  /** Releases its timer and its abort listener. */
  dispose(): void;
}

/** The unanswered calls: decides when each is sent, and when it is sent again. */
export class Outbox {
  private readonly calls = new Set<Call>();
  private isOpen = false;
  private pending = 0;
  /** Set while every call backs off. */
  private backoff: { until: number; timer: ReturnType<typeof setTimeout> } | undefined;
  private closeReason: HubError<ClientErrorCode> | undefined;

  constructor(
    private readonly post: Post,
    private readonly onPendingChange: (count: number) => void,
  ) {}

  /** Resolves with the data of the final answer, after as many attempts as it takes. A command without a key gets a new one. */
  async send<Name extends MessageName>(
    name: Name,
    fields: Omit<Request<Name>, 'key'>,
    { key = newKey(), signal }: CallOptions = {},
  ): Promise<Data<Name>> {
    if (this.closeReason) throw this.closeReason;
    signal?.throwIfAborted();
    const row = messages[name];
    const request = parse(row.request, takesKey(row) ? { ...fields, key } : fields);
    return new Promise((resolve, reject) => {
      const abort = () => this.settle(call, () => reject(signal?.reason));
      const call: Call = {
        name,
        request,
        orderId: 'orderId' in request ? String(request.orderId) : undefined,
        stage: 'queued',
        failures: 0,
        // The hub's answer is trusted to match the contract.
        resolve: (data) => resolve(data as Data<Name>),
        reject,
        dispose: () => signal?.removeEventListener('abort', abort),
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.calls.add(call);
      this.countPending(call, 1);
      this.flush();
    });
  }

  /** Sends every unanswered call, in the order made. */
  connected(): void {
    this.isOpen = true;
    this.flush();
  }

  /** Requeues the calls in flight: their answers are lost with the connection. */
  disconnected(): void {
    this.isOpen = false;
    for (const call of this.calls) if (call.stage === 'in flight') call.stage = 'queued';
  }

  /** Rejects every unanswered call, and every later one. */
  close(reason: HubError<ClientErrorCode>): void {
    this.isOpen = false;
    this.closeReason ??= reason;
    clearTimeout(this.backoff?.timer);
    for (const call of [...this.calls]) this.settle(call, () => call.reject(reason));
  }

  private flush(): void {
    if (!this.isOpen || this.backoff) return;
    const busyOrders = new Set<string | undefined>();
    let inFlight = 0;
    for (const call of this.calls) {
      const isNext = call.orderId === undefined || !busyOrders.has(call.orderId);
      busyOrders.add(call.orderId);
      if (call.stage === 'backing off') continue;
      if (call.stage === 'queued' && !isNext) continue;
      if (++inFlight > IN_FLIGHT_MAX) return;
      if (call.stage === 'queued') this.dispatch(call);
    }
  }

  private dispatch(call: Call): void {
    call.stage = 'in flight';
    this.post(call.name, call.request, (answer) => {
      if (answer.ok) this.settle(call, () => call.resolve(answer.data));
      else if (answer.error.retryable) this.retryLater(call, HubError.fromBody(answer.error));
      else this.settle(call, () => call.reject(HubError.fromBody(answer.error)));
    });
  }

  /**
   * Sends the call again after a backoff. `INTERNAL` may concern this call alone, so only this call backs off; any other
   * retryable error concerns the whole hub, so all calls back off and later ones cannot overtake this one.
   */
  private retryLater(call: Call, error: HubError): void {
    call.failures++;
    const delayMs = retryDelayMs(call.failures, error);
    if (error.code !== 'INTERNAL') {
      call.stage = 'queued';
      this.backOffFor(delayMs);
      return;
    }
    call.stage = 'backing off';
    const timer = setTimeout(() => {
      call.stage = 'queued';
      this.flush();
    }, delayMs);
    const { dispose } = call;
    call.dispose = () => {
      clearTimeout(timer);
      dispose();
    };
    this.flush();
  }

  private backOffFor(delayMs: number): void {
    const until = Math.max(this.backoff?.until ?? 0, performance.now() + delayMs);
    clearTimeout(this.backoff?.timer);
    const timer = setTimeout(() => {
      this.backoff = undefined;
      this.flush();
    }, until - performance.now());
    this.backoff = { until, timer };
  }

  private settle(call: Call, complete: () => void): void {
    if (!this.calls.delete(call)) return;
    call.dispose();
    complete();
    this.countPending(call, -1);
    this.flush();
  }

  /** Counts commands only: an unanswered read has no effect to wait for. */
  private countPending({ name }: Call, change: 1 | -1): void {
    if (!takesKey(messages[name])) return;
    this.pending += change;
    this.onPendingChange(this.pending);
  }
}
