import { takesKey } from '../contract/row.js';
import { type Answer, type Data, type MessageName, messages, type Request } from '../contract/wire.js';
import { newKey, pauseMs } from './again.js';
import type { CallOptions } from './hub.client.js';
import { checked, HubError } from './hub.error.js';

/** More than so many wait for their turn here, not in the hub's queue. */
const UNDER_WAY_MAX = 64;

/** Sends one message over the line that is open now, and tells its answer, if there comes one before the line is lost. */
export type Post = (name: MessageName, request: object, tell: (answer: Answer<unknown>) => void) => void;

interface Call {
  name: MessageName;
  request: object;
  /** The order that it is about: what is done with one order is done in the order of the calls. */
  orderId: string | undefined;
  /** One that rests was refused for the moment, and is sent again after a pause. */
  stage: 'waiting' | 'under way' | 'resting';
  failures: number;
  succeed(data: unknown): void;
  fail(error: unknown): void;
  /** Leaves no timer and no listener behind. */
  forget(): void;
}

/** Calls until they are answered: which goes out when, and which again. */
export class Outbox {
  private readonly calls = new Set<Call>();
  private isOpen = false;
  private pending = 0;
  /** Set while the hub is given a rest. */
  private rest: { until: number; timer: ReturnType<typeof setTimeout> } | undefined;
  private end: HubError | undefined;

  constructor(
    private readonly post: Post,
    private readonly tellPending: (count: number) => void,
  ) {}

  /** Gives what the hub answers in the end. A command gets a key, unless it is given one. */
  async send<Name extends MessageName>(
    name: Name,
    fields: Omit<Request<Name>, 'key'>,
    { key = newKey(), signal }: CallOptions = {},
  ): Promise<Data<Name>> {
    if (this.end) throw this.end;
    signal?.throwIfAborted();
    const row = messages[name];
    const request = checked(row.request, takesKey(row) ? { ...fields, key } : fields);
    return new Promise((resolve, reject) => {
      const giveUp = () => this.settle(call, () => reject(signal?.reason));
      const call: Call = {
        name,
        request,
        orderId: 'orderId' in request ? String(request.orderId) : undefined,
        stage: 'waiting',
        failures: 0,
        // What the contract says of the answer to this message holds from here on.
        succeed: (data) => resolve(data as Data<Name>),
        fail: reject,
        forget: () => signal?.removeEventListener('abort', giveUp),
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.calls.add(call);
      this.countPending(call, 1);
      this.flush();
    });
  }

  /** The line is up: everything that is not answered goes out, in the order of the calls. */
  open(): void {
    this.isOpen = true;
    this.flush();
  }

  /** The line is lost, and with it every answer that was on its way. */
  lose(): void {
    this.isOpen = false;
    for (const call of this.calls) if (call.stage === 'under way') call.stage = 'waiting';
  }

  /** Nothing will be answered any more. */
  close(reason: HubError): void {
    this.isOpen = false;
    this.end ??= reason;
    clearTimeout(this.rest?.timer);
    for (const call of [...this.calls]) this.settle(call, () => call.fail(reason));
  }

  private flush(): void {
    if (!this.isOpen || this.rest) return;
    const busyOrders = new Set<string | undefined>();
    let underWay = 0;
    for (const call of this.calls) {
      const isNext = call.orderId === undefined || !busyOrders.has(call.orderId);
      busyOrders.add(call.orderId);
      if (call.stage === 'resting') continue;
      if (call.stage === 'waiting' && !isNext) continue;
      if (++underWay > UNDER_WAY_MAX) return;
      if (call.stage === 'waiting') this.dispatch(call);
    }
  }

  private dispatch(call: Call): void {
    call.stage = 'under way';
    this.post(call.name, call.request, (answer) => {
      if (answer.ok) this.settle(call, () => call.succeed(answer.data));
      else if (answer.error.retryable) this.putOff(call, new HubError(answer.error));
      else this.settle(call, () => call.fail(new HubError(answer.error)));
    });
  }

  /**
   * Sends it again after a pause. A fault of the hub may be one with this call only, which then rests alone; everything else
   * says that the hub can take nothing now, and what follows waits too, so that it does not overtake.
   */
  private putOff(call: Call, error: HubError): void {
    call.failures++;
    const ms = pauseMs(call.failures, error);
    if (error.code !== 'INTERNAL') {
      call.stage = 'waiting';
      this.restFor(ms);
      return;
    }
    call.stage = 'resting';
    const timer = setTimeout(() => {
      call.stage = 'waiting';
      this.flush();
    }, ms);
    const { forget } = call;
    call.forget = () => {
      clearTimeout(timer);
      forget();
    };
    this.flush();
  }

  private restFor(ms: number): void {
    const until = Math.max(this.rest?.until ?? 0, Date.now() + ms);
    clearTimeout(this.rest?.timer);
    const timer = setTimeout(() => {
      this.rest = undefined;
      this.flush();
    }, until - Date.now());
    this.rest = { until, timer };
  }

  private settle(call: Call, how: () => void): void {
    if (!this.calls.delete(call)) return;
    call.forget();
    how();
    this.countPending(call, -1);
    this.flush();
  }

  /** A read is not counted: nobody need know that it is not answered yet. */
  private countPending({ name }: Call, change: 1 | -1): void {
    if (!takesKey(messages[name])) return;
    this.pending += change;
    this.tellPending(this.pending);
  }
}
