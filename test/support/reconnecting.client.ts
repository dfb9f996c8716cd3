import { setTimeout as sleep } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { OrderStatusPush, RoomReadyPush } from '../../src/contract/rooms.js';
import type { OrderClaimedPush } from '../../src/contract/staff.js';
import { type Role, roles } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import type { ClientCommand, ClientData, ClientRequest, History, Sent, SocketSession } from './history.js';

const ANSWER_WITHIN_MS = 5_000;
const CONNECT_WITHIN_MS = 3_000;
const READY_WITHIN_MS = 10_000;
const PAUSE_MS = { min: 50, max: 300 };
const RECONNECT_MS = { min: 50, max: 250 };

interface ReconnectingClientOptions {
  userId: string;
  token: string;
  clientId: string;
  /** The seller for whom it acts, as a member of the staff. It waits while it is none. */
  actingFor?: string | undefined;
  /** The current hubs. */
  urls: () => readonly string[];
  history: History;
  /** A random generator in [0, 1). */
  random: () => number;
  /** The event numbers to resume after; by default 0, which replays the whole rooms. */
  last?: Record<Role, number>;
  /** The share of commands right after which the client disconnects, so that their answers are lost. */
  disconnects?: number;
}

/**
 * A client that reconnects to any hub after any failure. It resumes after the last event received, and retries each command with
 * one idempotency key until a final answer.
 */
export class ReconnectingClient {
  readonly userId: string;
  readonly clientId: string;
  /** The numbers of the latest events received; answers do not count. */
  readonly last: Record<Role, number>;
  /** The number of events received. */
  events = 0;
  /** Called at each event, in order. */
  onEvent: ((push: OrderStatusPush) => void) | undefined;
  /** Set when a handshake was refused with an error that is not retryable. */
  failure: Error | undefined;

  private socket: Socket | undefined;
  private url = '';
  private failedUrl = '';
  private isReady = false;
  private stopped = false;
  private commandNo = 0;
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private waiters: (() => void)[] = [];
  private readonly onDisconnect = new Set<() => void>();

  constructor(private readonly options: ReconnectingClientOptions) {
    this.userId = options.userId;
    this.clientId = options.clientId;
    this.last = options.last ?? { buyer: 0, seller: 0 };
  }

  /** Whether it is connected and has received `room:ready`. */
  get connected(): boolean {
    return this.isReady && this.socket?.connected === true;
  }

  /** Connects, and reconnects until stopped. */
  start(): this {
    this.loop = this.connectLoop();
    return this;
  }

  /** Sends a command until it succeeds or is refused with an error that is not retryable. Rejects if stopped before. */
  async do<Name extends ClientCommand>(message: Name, request: ClientRequest<Name>): Promise<Answer<ClientData<Name>>> {
    const { history, userId, clientId } = this.options;
    const keyed = { ...request, key: request.key ?? `${clientId}-${++this.commandNo}` };
    const sent = history.recordCommand(userId, message, keyed, this.options.actingFor);
    for (;;) {
      if (this.failure) throw this.failure;
      if (this.stopped) throw new Error(`${clientId} was stopped before ${message} was answered`);
      const answer = message.startsWith('order:') ? await this.overSocket(sent) : await this.overHttp(sent);
      if (answer && (answer.ok || !answer.error.retryable)) return answer as Answer<ClientData<Name>>;
      await this.pause(PAUSE_MS);
    }
  }

  /** Disconnects. Pending commands reject. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.stopping.abort();
    for (const wake of this.waiters.splice(0)) wake();
    this.socket?.disconnect();
    await this.loop;
  }

  private async connectLoop(): Promise<void> {
    while (!this.stopped && !this.failure) {
      await this.runSession();
      if (!this.stopped) await this.pause(RECONNECT_MS);
    }
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** One connection, from its handshake to its end. */
  private async runSession(): Promise<void> {
    const { history, clientId, userId, actingFor, token } = this.options;
    const url = this.pickOther(this.url);
    if (url === undefined) return;
    this.url = url;
    const last = actingFor === undefined ? { ...this.last } : { seller: this.last.seller };
    const socket: Socket = io(url, {
      auth: { token, last, ...(actingFor === undefined ? {} : { for: actingFor }) },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_WITHIN_MS,
    });
    this.socket = socket;
    const session = history.openSession({ clientId, userId, actingFor, url, last });
    await new Promise<void>((resolve) => {
      // A frozen hub accepts the connection but never answers.
      let timeout = setTimeout(() => this.leave(socket, resolve), CONNECT_WITHIN_MS);
      const end = () => {
        clearTimeout(timeout);
        resolve();
      };
      socket.once('connect', () => {
        clearTimeout(timeout);
        timeout = setTimeout(() => this.leave(socket, resolve), READY_WITHIN_MS);
        for (const wake of this.waiters.splice(0)) wake();
      });
      socket.once('room:ready', (ready: RoomReadyPush) => {
        clearTimeout(timeout);
        history.recordReady(session, ready);
        this.resume(ready);
        this.isReady = true;
      });
      socket.on('order:status', (push: OrderStatusPush) => this.receive(session, push));
      socket.on('order:claimed', (push: OrderClaimedPush) => session.claims.push(push));
      socket.once('connect_error', (error: Error & { data?: ErrorBody }) => {
        this.onConnectError(error);
        this.leave(socket, end);
      });
      socket.once('disconnect', end);
    });
    // A session that lasted until `stop` was not cut.
    session.cut = !(this.stopped && this.isReady);
    this.isReady = false;
    for (const disconnected of [...this.onDisconnect]) disconnected();
  }

  private receive(session: SocketSession, push: OrderStatusPush): void {
    this.options.history.recordEvent(session, push);
    this.events += 1;
    this.last[push.role] = push.seq;
    this.onEvent?.(push);
  }

  /** Where events are no longer kept, it goes on from the head. */
  private resume({ rooms }: RoomReadyPush): void {
    for (const role of roles) {
      const state = rooms[role];
      if (state && !state.complete) this.last[role] = state.head;
    }
  }

  /** Connection errors and retryable refusals are retried, and a removed member may be hired again; anything else is final. */
  private onConnectError({ message, data }: Error & { data?: ErrorBody }): void {
    if (!data?.code || data.retryable) return;
    if (data.code === 'FORBIDDEN' && this.options.actingFor !== undefined) return;
    this.failure = new Error(`${this.clientId} was refused: ${message}`);
    this.options.history.refusals.push(`${this.clientId} at ${this.url}: ${JSON.stringify(data)}`);
  }

  private leave(socket: Socket, onLeft: () => void): void {
    socket.disconnect();
    onLeft();
  }

  private async overSocket(sent: Sent): Promise<Answer<unknown> | undefined> {
    const { history, random, disconnects = 0 } = this.options;
    while (this.socket?.connected !== true) {
      if (this.stopped || this.failure) return undefined;
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
    const { socket } = this;
    sent.attempts += 1;
    const started = performance.now();
    return new Promise((resolve) => {
      const end = (answer: Answer<unknown> | undefined) => {
        clearTimeout(timeout);
        this.onDisconnect.delete(disconnected);
        resolve(answer);
      };
      const disconnected = () => end(undefined);
      const timeout = setTimeout(() => {
        sent.timeouts += 1;
        socket.disconnect();
      }, ANSWER_WITHIN_MS);
      this.onDisconnect.add(disconnected);
      socket.emit(sent.message, sent.request, (answer: Answer<unknown>) => {
        history.recordAnswer(sent, answer, performance.now() - started);
        end(answer);
      });
      if (disconnects > 0 && random() < disconnects) setTimeout(() => socket.disconnect(), random() * 10);
    });
  }

  private async overHttp(sent: Sent): Promise<Answer<unknown> | undefined> {
    const url = this.pickOther(this.failedUrl);
    if (url === undefined) return undefined;
    const { path, body } = routeOf(sent);
    sent.attempts += 1;
    const started = performance.now();
    const timeout = AbortSignal.timeout(ANSWER_WITHIN_MS);
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.options.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.any([timeout, this.stopping.signal]),
      });
      const result = (await response.json()) as { error?: ErrorBody };
      const replayed = response.headers.get('Idempotency-Replayed') === 'true' ? { replayed: true as const } : {};
      const answer: Answer<unknown> = result.error
        ? { ok: false, error: result.error, ...replayed }
        : { ok: true, data: result, ...replayed };
      this.options.history.recordAnswer(sent, answer, performance.now() - started);
      return answer;
    } catch {
      // The hub is down or not answering: try another one next.
      this.failedUrl = url;
      if (timeout.aborted) sent.timeouts += 1;
      return undefined;
    }
  }

  /** A random hub, other than this one if possible. */
  private pickOther(last: string): string | undefined {
    const urls = this.options.urls();
    const others = urls.filter((url) => url !== last);
    const choice = others.length > 0 ? others : urls;
    return choice[Math.floor(this.options.random() * choice.length)];
  }

  private async pause({ min, max }: { min: number; max: number }): Promise<void> {
    await sleep(min + this.options.random() * (max - min));
  }
}

function routeOf({ message, request }: Sent): { path: string; body: object } {
  if (!('add' in request)) {
    return { path: message === 'wallet:deposit' ? '/wallet/deposits' : '/wallet/withdrawals', body: request };
  }
  const { storeId, bookId, ...body } = request;
  return { path: `/stores/${encodeURIComponent(storeId)}/books/${encodeURIComponent(bookId)}/stock`, body };
}
