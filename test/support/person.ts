import { io, type Socket } from 'socket.io-client';
import type { Order } from '../../src/contract/orders.js';
import type { BookStockPush, OrderStatusPush, RoomReadyPush, StoreStatusPush } from '../../src/contract/rooms.js';
import type { OrderClaimedPush } from '../../src/contract/staff.js';
import type { Wallet, WalletChangedPush } from '../../src/contract/wallet.js';
import type { Answer, ClientToServer, Data, MessageName, Request, ServerToClient } from '../../src/contract/wire.js';
import { type TestHub, until } from './hub.js';

const ANSWER_WITHIN_MS = 20_000;

export interface HttpAnswer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

interface ConnectOptions {
  last?: { buyer?: number; seller?: number };
  token?: string;
  /** The seller for whom the person acts. */
  for?: string;
  transports?: ('websocket' | 'polling')[];
}

/** A user's device: sends HTTP requests and Socket.IO messages to a hub, and records every push. */
export class Person {
  /** The person's store, if any. */
  storeId = '';
  socket: Socket<ServerToClient, ClientToServer> | undefined;
  readonly events: OrderStatusPush[] = [];
  readonly ready: RoomReadyPush[] = [];
  readonly stockAlerts: BookStockPush[] = [];
  readonly stores: StoreStatusPush[] = [];
  readonly wallets: WalletChangedPush[] = [];
  readonly endings: string[] = [];
  readonly claims: OrderClaimedPush[] = [];
  /** The seller for whom the person acts in all that it does, as a member of the staff. */
  actingFor: string | undefined;

  constructor(
    readonly hub: TestHub,
    readonly userId: string,
    public token: string,
  ) {}

  /** Connects and resolves at `room:ready`; rejects with the `connect_error`, or if the hub closes the transport. */
  async connect({
    last,
    token = this.token,
    for: ownerId = this.actingFor,
    transports = ['websocket'],
  }: ConnectOptions = {}): Promise<this> {
    const socket: Socket<ServerToClient, ClientToServer> = io(this.hub.url, {
      auth: { token, ...(last ? { last } : {}), ...(ownerId === undefined ? {} : { for: ownerId }) },
      transports,
      reconnection: false,
      forceNew: true,
    });
    this.socket = socket;
    socket.on('order:status', (push) => this.events.push(push));
    socket.on('book:stock', (push) => this.stockAlerts.push(push));
    socket.on('order:claimed', (push) => this.claims.push(push));
    socket.on('store:status', (push) => this.stores.push(push));
    socket.on('wallet:changed', (push) => this.wallets.push(push));
    socket.on('session:ended', ({ reason }) => this.endings.push(reason));
    await new Promise<void>((resolve, reject) => {
      socket.once('room:ready', (push) => {
        this.ready.push(push);
        resolve();
      });
      socket.once('connect_error', reject);
      socket.once('disconnect', (reason) => reject(new Error(reason)));
    });
    return this;
  }

  disconnect(): void {
    this.socket?.disconnect();
  }

  /** Sends a message of the contract and returns its acknowledgement. */
  send<Name extends MessageName>(message: Name, request: Request<Name>): Promise<Answer<Data<Name>>> {
    return this.sendRaw(message, request) as Promise<Answer<Data<Name>>>;
  }

  /** Sends any message with any payload. */
  async sendRaw(message: string, ...payload: unknown[]): Promise<Answer<unknown>> {
    if (!this.socket) await this.connect();
    const socket = this.socket as unknown as Socket;
    return socket.timeout(ANSWER_WITHIN_MS).emitWithAck(message, ...payload);
  }

  /** Sends a message that must succeed and returns its data. */
  async does<Name extends MessageName>(message: Name, request: Request<Name>): Promise<Data<Name>> {
    const answer = await this.send(message, request);
    if (!answer.ok) throw new Error(`${message} was refused: ${JSON.stringify(answer.error)}`);
    return answer.data;
  }

  /** Sends a message that must be refused and returns the error. */
  async isRefused<Name extends MessageName>(message: Name, request: Request<Name>) {
    const answer = await this.send(message, request);
    if (answer.ok) throw new Error(`${message} was not refused`);
    return answer.error;
  }

  /** Places an order, by default of one copy of `book-1`. */
  place(seller: Person, items: { bookId: string; count: number }[] = [{ bookId: 'book-1', count: 1 }]): Promise<Order> {
    return this.does('order:place', { storeId: seller.storeId, items });
  }

  /** Waits until this number of events has arrived and returns all events. */
  async hears(events: number): Promise<OrderStatusPush[]> {
    await until(
      `${this.userId} receives ${events} events (received ${this.events.length})`,
      () => this.events.length >= events,
    );
    return this.events;
  }

  async deposit(amount: number): Promise<number> {
    const { body } = await this.post<{ balance: number }>('/wallet/deposits', { amount });
    return body.balance;
  }

  async balance(): Promise<number> {
    return (await this.wallet()).balance;
  }

  async wallet(): Promise<Wallet> {
    return (await this.get<Wallet>('/wallet')).body;
  }

  async stock(bookId = 'book-1'): Promise<number> {
    return (await this.get<{ stock: number }>(`/stores/${this.storeId}/books/${bookId}`)).body.stock;
  }

  get<Body = never>(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer<Body>> {
    return this.request('GET', path, undefined, headers);
  }

  post<Body = never>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<HttpAnswer<Body>> {
    return this.request('POST', path, body, headers);
  }

  patch<Body = never>(path: string, body?: unknown): Promise<HttpAnswer<Body>> {
    return this.request('PATCH', path, body, {});
  }

  async request<Body>(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<HttpAnswer<Body>> {
    const response = await fetch(this.hub.url + path, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(this.actingFor === undefined ? {} : { 'acting-for': encodeURIComponent(this.actingFor) }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('/json');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  }
}
