import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import {
  AckCuts,
  CommitCuts,
  type CommitMoment,
  EventDrops,
  Overheard,
  type Passage,
  type Streams,
  WakeupDrops,
} from './proxy.streams.js';

/** Creates a stream filter for each connection. */
interface Filter {
  streams(): Streams;
}

/**
 * A TCP proxy between a hub and its database, its Redis or its clients that injects network faults. Faults apply to existing
 * and new connections unless documented otherwise.
 */
export class TcpProxy {
  private readonly server: Server;
  private readonly live = new Set<Connection>();
  private readonly filters: Filter[] = [];
  private readonly commits = new CommitCuts();
  private readonly conditions: Conditions = { frozen: false, delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
  private blackholed = false;

  private constructor(
    private target: URL,
    private port: number,
  ) {
    if (target.protocol === 'mysql:') this.filters.push(this.commits);
    this.server = createServer((client) => this.accept(client));
  }

  /** Creates a proxy for the target of this URL. It reserves a port but does not listen yet. */
  static async before(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url), 0);
    await proxy.open();
    proxy.port = (proxy.server.address() as AddressInfo).port;
    await proxy.close();
    return proxy;
  }

  /** The target's URL with the proxy's host and port. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    // Callers append paths to a bare origin.
    return url.pathname === '/' ? url.href.slice(0, -1) : url.href;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.live.size;
  }

  async open(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Stops listening and cuts all connections. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cutAll();
    await closed;
  }

  /** Cuts all open connections. New ones are accepted. */
  cutAll(): void {
    for (const connection of this.live) connection.cut();
  }

  /** New connections go to the server of this URL. */
  retarget(url: string): void {
    this.target = new URL(url);
  }

  /** Stops forwarding but keeps the connections open, as if the peer were suspended. */
  freeze(): void {
    this.conditions.frozen = true;
    for (const connection of this.live) connection.update();
  }

  thaw(): void {
    this.conditions.frozen = false;
    for (const connection of this.live) connection.update();
  }

  /** Discards all data and even disconnects, in both directions. Applies to new connections until `heal`. */
  blackhole(): void {
    this.blackholed = true;
    for (const connection of this.live) connection.discard();
  }

  /** New connections work again. Blackholed ones stay so, because their streams have gaps. */
  heal(): void {
    this.blackholed = false;
  }

  /** Adds latency to everything, in order. */
  delay(ms: number): void {
    this.conditions.delayMs = ms;
  }

  /** Limits the bandwidth of each direction of each connection. */
  throttle(bytesPerSecond: number): void {
    this.conditions.bytesPerSecond = bytesPerSecond;
  }

  /**
   * Cuts the connection at the nth COMMIT of a batch from now: before it reaches the server, or after the server has executed it
   * and before its answer arrives. Resolves when the cut has happened. Throws unless the target speaks the MySQL protocol.
   */
  cutAtCommit(moment: CommitMoment, nth = 1): Promise<void> {
    if (this.target.protocol !== 'mysql:') throw new Error('There are no COMMITs on this connection');
    return this.commits.next(moment, nth);
  }

  /** Truncates this share of a hub's acknowledgements and cuts their connections. Only for new connections. */
  cutAcks(share: number, random: () => number): AckCuts {
    const cuts = new AckCuts(share, random);
    this.filters.push(cuts);
    return cuts;
  }

  /** Drops order events that a hub sends: the next `left` ones. Only for new connections. */
  dropEvents(): EventDrops {
    const drops = new EventDrops();
    this.filters.push(drops);
    return drops;
  }

  /** Records a hub's texts that match the pattern. Only for new connections. */
  overhear(pattern: RegExp): Overheard {
    const overheard = new Overheard(pattern);
    this.filters.push(overheard);
    return overheard;
  }

  /** Drops this share of the wakeups between hubs that Redis sends. Only for new connections. */
  dropWakeups(share: number, random: () => number): WakeupDrops {
    const drops = new WakeupDrops(share, random);
    this.filters.push(drops);
    return drops;
  }

  private accept(client: Socket): void {
    const connection = new Connection(client, this.conditions, this.blackholed, () => {
      const server = connect(Number(this.target.port || 80), this.target.hostname);
      return { server, streams: this.filters.map((filter) => filter.streams()) };
    });
    this.live.add(connection);
    connection.onClosed(() => this.live.delete(connection));
  }
}

interface Conditions {
  frozen: boolean;
  delayMs: number;
  bytesPerSecond: number;
}

/** One proxied connection. */
class Connection {
  private readonly directions: Direction[];
  private readonly sockets: Socket[];
  private discarding = false;

  constructor(
    client: Socket,
    conditions: Conditions,
    discarding: boolean,
    connectUpstream: () => { server: Socket; streams: Streams[] },
  ) {
    if (discarding) {
      this.sockets = [client];
      this.directions = [];
      this.discarding = true;
      client.on('error', () => {}).resume();
      return;
    }
    const { server, streams } = connectUpstream();
    this.sockets = [client, server];
    const cut = () => this.cut();
    this.directions = [
      new Direction(client, server, conditions, (chunk) => through(chunk, streams, 'toServer'), cut),
      new Direction(server, client, conditions, (chunk) => through(chunk, streams, 'toClient'), cut),
    ];
    for (const [from, direction] of [
      [client, this.directions[0]],
      [server, this.directions[1]],
    ] as const) {
      from.on('error', () => {});
      from.on('data', (chunk) => !this.discarding && direction?.receive(chunk));
      from.on('end', () => !this.discarding && direction?.end());
      from.on('close', () => !this.discarding && direction?.close());
    }
    this.update();
  }

  onClosed(closed: () => void): void {
    let left = this.sockets.length;
    for (const socket of this.sockets) socket.once('close', () => --left === 0 && closed());
  }

  update(): void {
    for (const direction of this.directions) direction.update();
  }

  discard(): void {
    this.discarding = true;
    for (const direction of this.directions) direction.stop();
  }

  cut(): void {
    for (const direction of this.directions) direction.stop();
    for (const socket of this.sockets) socket.destroy();
  }
}

function through(chunk: Buffer, streams: Streams[], direction: keyof Streams): Passage {
  let passage: Passage = { pass: chunk };
  for (const stream of streams) {
    const next = stream[direction](passage.pass);
    passage = passage.cut ? { pass: next.pass, cut: true } : next;
  }
  return passage;
}

const QUEUED_BYTES_MAX = 256 * 1024;
/** A throttled connection forwards in chunks of this duration. */
const CHUNK_MS = 20;

/** One direction of a connection: forwards in order what it has received, delayed or throttled by the current conditions. */
class Direction {
  private tail: Promise<void> = Promise.resolve();
  private queued = 0;
  private queuedBytes = 0;
  /** Receives nothing more. */
  private ended = false;
  /** Forwards nothing more, not even what is queued. */
  private stopped = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly conditions: Conditions,
    private readonly filter: (chunk: Buffer) => Passage,
    private readonly cut: () => void,
  ) {}

  receive(chunk: Buffer): void {
    if (this.ended) return;
    const { pass, cut = false } = this.filter(chunk);
    this.ended = cut;
    if (pass.length > 0) this.forward(pass, cut ? this.cut : undefined);
    else if (cut) this.enqueue(async () => this.cut());
  }

  /** Forwards a half-close after everything that is queued. */
  end(): void {
    if (!this.ended) this.enqueue(async () => void this.to.end());
  }

  close(): void {
    if (!this.ended) this.enqueue(async () => this.to.destroySoon());
  }

  stop(): void {
    this.ended = true;
    this.stopped = true;
  }

  update(): void {
    if (this.conditions.frozen || this.queuedBytes > QUEUED_BYTES_MAX) this.from.pause();
    else this.from.resume();
  }

  private forward(chunk: Buffer, onWritten?: () => void): void {
    const { delayMs, bytesPerSecond } = this.conditions;
    if (this.queued === 0 && delayMs === 0 && bytesPerSecond === Number.POSITIVE_INFINITY) {
      this.to.write(chunk, onWritten);
      return;
    }
    const due = Date.now() + delayMs;
    this.queuedBytes += chunk.length;
    this.update();
    this.enqueue(async () => {
      await pause(due - Date.now());
      await this.throttled(chunk, onWritten);
      this.queuedBytes -= chunk.length;
      this.update();
    });
  }

  private async throttled(chunk: Buffer, onWritten?: () => void): Promise<void> {
    let start = 0;
    while (start < chunk.length && !this.stopped) {
      const { bytesPerSecond } = this.conditions;
      const size = Math.min(chunk.length - start, Math.ceil((bytesPerSecond * CHUNK_MS) / 1_000));
      await pause((size / bytesPerSecond) * 1_000);
      const end = start + size;
      this.to.write(chunk.subarray(start, end), end === chunk.length ? onWritten : undefined);
      start = end;
    }
  }

  private enqueue(work: () => Promise<void>): void {
    this.queued++;
    this.tail = this.tail
      .then(() => (this.stopped ? undefined : work()))
      .finally(() => {
        this.queued--;
      });
  }
}

function pause(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms).unref());
}
