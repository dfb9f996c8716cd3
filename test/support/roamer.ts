import { setTimeout as sleep } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Role } from '../../src/contract/lifecycle.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Answer } from '../../src/contract/wire.js';
import type { ClientCommand, ClientData, ClientRequest, History, Sent, Sitting } from './history.js';

const ANSWER_WITHIN_MS = 5_000;
const CONNECT_WITHIN_MS = 3_000;
const READY_WITHIN_MS = 10_000;
const PAUSE_MS = { least: 50, most: 300 };
const RECONNECT_MS = { least: 50, most: 250 };

interface RoamerOptions {
  userId: string;
  token: string;
  clientId: string;
  /** The hubs that there are now. */
  urls: () => readonly string[];
  history: History;
  /** Gives numbers from 0 to 1. */
  random: () => number;
  /** What the client has been given already: everything that ever was, unless told. */
  last?: Record<Role, number>;
  /** The share of commands right after which the line is cut, so that their answers are lost. */
  cuts?: number;
}

/**
 * A client that comes back to any hub, whatever happens to it: it knows from its events how far it is, and sends each
 * command with a key of its own until it is answered for good.
 */
export class Roamer {
  readonly userId: string;
  readonly clientId: string;
  /** The numbers of the latest events that it was given, never what an answer said. */
  readonly last: Record<Role, number>;
  /** So many events it was given. */
  events = 0;
  /** Called at each event, in order. */
  onEvent: ((push: OrderStatusPush) => void) | undefined;
  /** Why it cannot go on: its connection was refused for good. */
  failure: Error | undefined;

  private socket: Socket | undefined;
  private url = '';
  private silentUrl = '';
  private isReady = false;
  private stopped = false;
  private commandNo = 0;
  private readonly stopping = new AbortController();
  private looping: Promise<void> = Promise.resolve();
  private waiters: (() => void)[] = [];
  private readonly onCut = new Set<() => void>();

  constructor(private readonly options: RoamerOptions) {
    this.userId = options.userId;
    this.clientId = options.clientId;
    this.last = options.last ?? { buyer: 0, seller: 0 };
  }

  /** Whether it sits at a hub and has been brought up to date there. */
  get connected(): boolean {
    return this.isReady && this.socket?.connected === true;
  }

  /** Connects, and comes back for as long as it is not stopped. */
  start(): this {
    this.looping = this.roam();
    return this;
  }

  /** Gives a command until it is answered with a yes, or with a no that is not to be tried again. */
  async do<Name extends ClientCommand>(message: Name, request: ClientRequest<Name>): Promise<Answer<ClientData<Name>>> {
    const { history, userId, clientId } = this.options;
    const keyed = { ...request, key: request.key ?? `${clientId}-${++this.commandNo}` };
    const sent = history.sends(userId, message, keyed);
    for (;;) {
      if (this.failure) throw this.failure;
      if (this.stopped) throw new Error(`${clientId} was stopped before ${message} was answered`);
      const answer = message.startsWith('order:') ? await this.overSocket(sent) : await this.overHttp(sent);
      if (answer && (answer.ok || !answer.error.retryable)) return answer as Answer<ClientData<Name>>;
      await this.pause(PAUSE_MS);
    }
  }

  /** Goes for good. What it still waits for fails. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.stopping.abort();
    for (const wake of this.waiters.splice(0)) wake();
    this.socket?.disconnect();
    await this.looping;
  }

  private async roam(): Promise<void> {
    while (!this.stopped && !this.failure) {
      await this.sit();
      if (!this.stopped) await this.pause(RECONNECT_MS);
    }
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** One connection, from its handshake to its end. */
  private async sit(): Promise<void> {
    const { history, clientId, userId, token } = this.options;
    const url = this.anotherThan(this.url);
    if (url === undefined) return;
    this.url = url;
    const last = { ...this.last };
    const socket: Socket = io(url, {
      auth: { token, last },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_WITHIN_MS,
    });
    this.socket = socket;
    const sitting = history.sits(clientId, userId, url, last);
    await new Promise<void>((resolve) => {
      // A frozen hub takes the connection and says nothing.
      let patience = setTimeout(() => this.leave(socket, resolve), CONNECT_WITHIN_MS);
      const end = () => {
        clearTimeout(patience);
        resolve();
      };
      socket.once('connect', () => {
        clearTimeout(patience);
        patience = setTimeout(() => this.leave(socket, resolve), READY_WITHIN_MS);
        for (const wake of this.waiters.splice(0)) wake();
      });
      socket.once('room:ready', (ready) => {
        clearTimeout(patience);
        history.isReady(sitting, ready);
        this.isReady = true;
      });
      socket.on('order:status', (push: OrderStatusPush) => this.hear(sitting, push));
      socket.once('connect_error', (error: Error & { data?: ErrorBody }) => {
        this.refused(error);
        this.leave(socket, end);
      });
      socket.once('disconnect', end);
    });
    // One that stayed until it was stopped was not cut.
    sitting.cut = !(this.stopped && this.isReady);
    this.isReady = false;
    for (const cut of [...this.onCut]) cut();
  }

  private hear(sitting: Sitting, push: OrderStatusPush): void {
    this.options.history.hears(sitting, push);
    this.events += 1;
    this.last[push.role] = push.seq;
    this.onEvent?.(push);
  }

  /** A hub that is away may come back, and so may one that cannot serve now. Anything else is for good. */
  private refused({ message, data }: Error & { data?: ErrorBody }): void {
    if (!data?.code || data.retryable) return;
    this.failure = new Error(`${this.clientId} was refused: ${message}`);
    this.options.history.refusals.push(`${this.clientId} at ${this.url}: ${JSON.stringify(data)}`);
  }

  private leave(socket: Socket, then: () => void): void {
    socket.disconnect();
    then();
  }

  private async overSocket(sent: Sent): Promise<Answer<unknown> | undefined> {
    const { history, random, cuts = 0 } = this.options;
    while (this.socket?.connected !== true) {
      if (this.stopped || this.failure) return undefined;
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
    const { socket } = this;
    sent.attempts += 1;
    const started = performance.now();
    return new Promise((resolve) => {
      const end = (answer: Answer<unknown> | undefined) => {
        clearTimeout(patience);
        this.onCut.delete(cut);
        resolve(answer);
      };
      const cut = () => end(undefined);
      const patience = setTimeout(() => {
        sent.silent += 1;
        socket.disconnect();
      }, ANSWER_WITHIN_MS);
      this.onCut.add(cut);
      socket.emit(sent.message, sent.request, (answer: Answer<unknown>) => {
        history.isAnswered(sent, answer, performance.now() - started);
        end(answer);
      });
      if (cuts > 0 && random() < cuts) setTimeout(() => socket.disconnect(), random() * 10);
    });
  }

  private async overHttp(sent: Sent): Promise<Answer<unknown> | undefined> {
    const url = this.anotherThan(this.silentUrl);
    if (url === undefined) return undefined;
    const { path, body } = routeOf(sent);
    sent.attempts += 1;
    const started = performance.now();
    const patience = AbortSignal.timeout(ANSWER_WITHIN_MS);
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.options.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.any([patience, this.stopping.signal]),
      });
      const given = (await response.json()) as { error?: ErrorBody };
      const replayed = response.headers.get('Idempotency-Replayed') === 'true' ? { replayed: true as const } : {};
      const answer: Answer<unknown> = given.error
        ? { ok: false, error: given.error, ...replayed }
        : { ok: true, data: given, ...replayed };
      this.options.history.isAnswered(sent, answer, performance.now() - started);
      return answer;
    } catch {
      // The hub is away, or silent: another one may not be.
      this.silentUrl = url;
      if (patience.aborted) sent.silent += 1;
      return undefined;
    }
  }

  /** One of the hubs, and not this one if there is a choice. */
  private anotherThan(last: string): string | undefined {
    const urls = this.options.urls();
    const others = urls.filter((url) => url !== last);
    const choice = others.length > 0 ? others : urls;
    return choice[Math.floor(this.options.random() * choice.length)];
  }

  private async pause({ least, most }: { least: number; most: number }): Promise<void> {
    await sleep(least + this.options.random() * (most - least));
  }
}

function routeOf({ message, request }: Sent): { path: string; body: object } {
  if (!('add' in request)) {
    return { path: message === 'wallet:deposit' ? '/wallet/deposits' : '/wallet/withdrawals', body: request };
  }
  const { storeId, bookId, ...body } = request;
  return { path: `/stores/${encodeURIComponent(storeId)}/books/${encodeURIComponent(bookId)}/stock`, body };
}
