import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import {
  AckCuts,
  CommitCuts,
  type CommitMoment,
  EventDrops,
  HintDrops,
  Overheard,
  type Passage,
  type Streams,
} from './proxy.streams.js';

/** One who reads what passes on every connection, and may let it pass, drop it or cut the connection there. */
interface Reader {
  streams(): Streams;
}

/**
 * Stands between two who speak over TCP, a hub and its database, its Redis or its clients, and breaks the line in every
 * way in which lines break. What it does holds for present and for new connections alike, unless it says otherwise.
 */
export class TcpProxy {
  private readonly server: Server;
  private readonly lines = new Set<Line>();
  private readonly readers: Reader[] = [];
  private readonly commits = new CommitCuts();
  private readonly weather: Weather = { frozen: false, delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
  private blackholed = false;

  private constructor(
    private readonly target: URL,
    private port: number,
  ) {
    if (target.protocol === 'mysql:') this.readers.push(this.commits);
    this.server = createServer((client) => this.join(client));
  }

  /** A proxy for what this URL leads to. It does not listen yet, but keeps its port. */
  static async before(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url), 0);
    await proxy.open();
    proxy.port = (proxy.server.address() as AddressInfo).port;
    await proxy.close();
    return proxy;
  }

  /** Where to find through this proxy what it stands before. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    // A bare origin stays one: paths are put behind it.
    return url.pathname === '/' ? url.href.slice(0, -1) : url.href;
  }

  /** How many connections there are now. */
  get connections(): number {
    return this.lines.size;
  }

  async open(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Nobody gets through any more, and who was through is cut off. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cutAll();
    await closed;
  }

  /** Cuts every connection that there is. New ones get through. */
  cutAll(): void {
    for (const line of this.lines) line.cut();
  }

  /** Nothing arrives, and no connection is cut: as if the other had stopped in the middle of a breath. */
  freeze(): void {
    this.weather.frozen = true;
    for (const line of this.lines) line.weatherChanged();
  }

  thaw(): void {
    this.weather.frozen = false;
    for (const line of this.lines) line.weatherChanged();
  }

  /** What comes is swallowed and neither side hears of it, not even that the other has gone. New connections too, until healed. */
  blackhole(): void {
    this.blackholed = true;
    for (const line of this.lines) line.swallow();
  }

  /** New connections get through again. Those that were swallowed stay so: what they have lost they will never get. */
  heal(): void {
    this.blackholed = false;
  }

  /** Everything arrives so much later, in its order. */
  delay(ms: number): void {
    this.weather.delayMs = ms;
  }

  /** No more than so many bytes a second get through, each way of each connection. */
  throttle(bytesPerSecond: number): void {
    this.weather.bytesPerSecond = bytesPerSecond;
  }

  /**
   * Cuts the connection at the nth COMMIT of a batch from now: before it has reached the server, or after the server has done
   * it and before its answer gets through. Resolves when that has happened. Only before a server of the MySQL protocol.
   */
  cutAtCommit(moment: CommitMoment, nth = 1): Promise<void> {
    if (this.target.protocol !== 'mysql:') throw new Error('There are no COMMITs on this line');
    return this.commits.next(moment, nth);
  }

  /** Cuts this share of the acknowledgements of a hub in the middle, and the connection with them. Only for new connections. */
  cutAcks(share: number, random: () => number): AckCuts {
    const cuts = new AckCuts(share, random);
    this.readers.push(cuts);
    return cuts;
  }

  /** Takes as many order events out of what a hub sends as it is told to. Only for new connections. */
  dropEvents(): EventDrops {
    const drops = new EventDrops();
    this.readers.push(drops);
    return drops;
  }

  /** Listens in on the texts that a hub sends, those whose beginning matches. Only for new connections. */
  overhear(pattern: RegExp): Overheard {
    const overheard = new Overheard(pattern);
    this.readers.push(overheard);
    return overheard;
  }

  /** Takes this share of the hints between hubs out of what Redis sends. Only for new connections. */
  dropHints(share: number, random: () => number): HintDrops {
    const drops = new HintDrops(share, random);
    this.readers.push(drops);
    return drops;
  }

  private join(client: Socket): void {
    const line = new Line(client, this.weather, this.blackholed, () => {
      const server = connect(Number(this.target.port || 80), this.target.hostname);
      return { server, streams: this.readers.map((reader) => reader.streams()) };
    });
    this.lines.add(line);
    line.onceOver(() => this.lines.delete(line));
  }
}

interface Weather {
  frozen: boolean;
  delayMs: number;
  bytesPerSecond: number;
}

/** One connection: a way to the server and a way back. */
class Line {
  private readonly ways: Way[];
  private readonly sockets: Socket[];
  private swallowed = false;

  constructor(
    client: Socket,
    weather: Weather,
    swallowed: boolean,
    reach: () => { server: Socket; streams: Streams[] },
  ) {
    if (swallowed) {
      this.sockets = [client];
      this.ways = [];
      this.swallowed = true;
      client.on('error', () => {}).resume();
      return;
    }
    const { server, streams } = reach();
    this.sockets = [client, server];
    const cut = () => this.cut();
    this.ways = [
      new Way(client, server, weather, (chunk) => through(chunk, streams, 'toServer'), cut),
      new Way(server, client, weather, (chunk) => through(chunk, streams, 'toClient'), cut),
    ];
    for (const [from, way] of [
      [client, this.ways[0]],
      [server, this.ways[1]],
    ] as const) {
      from.on('error', () => {});
      from.on('data', (chunk) => !this.swallowed && way?.take(chunk));
      from.on('end', () => !this.swallowed && way?.end());
      from.on('close', () => !this.swallowed && way?.close());
    }
    this.weatherChanged();
  }

  onceOver(over: () => void): void {
    let left = this.sockets.length;
    for (const socket of this.sockets) socket.once('close', () => --left === 0 && over());
  }

  weatherChanged(): void {
    for (const way of this.ways) way.weatherChanged();
  }

  swallow(): void {
    this.swallowed = true;
    for (const way of this.ways) way.stop();
  }

  cut(): void {
    for (const way of this.ways) way.stop();
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

const WAITING_BYTES_MAX = 256 * 1024;
/** A throttled line gives what it lets through in portions of this time. */
const PORTION_MS = 20;

/** One direction of a connection. What it has taken goes on in its order, late or slowly, whatever the weather is meanwhile. */
class Way {
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;
  private waitingBytes = 0;
  /** It takes no more. */
  private ended = false;
  /** Not even what it has taken goes on. */
  private stopped = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly weather: Weather,
    private readonly read: (chunk: Buffer) => Passage,
    private readonly cut: () => void,
  ) {}

  take(chunk: Buffer): void {
    if (this.ended) return;
    const { pass, cut = false } = this.read(chunk);
    this.ended = cut;
    if (pass.length > 0) this.passOn(pass, cut ? this.cut : undefined);
    else if (cut) this.later(async () => this.cut());
  }

  /** The one end says no more: the other hears of it after all that is still on its way. */
  end(): void {
    if (!this.ended) this.later(async () => void this.to.end());
  }

  close(): void {
    if (!this.ended) this.later(async () => this.to.destroySoon());
  }

  stop(): void {
    this.ended = true;
    this.stopped = true;
  }

  weatherChanged(): void {
    if (this.weather.frozen || this.waitingBytes > WAITING_BYTES_MAX) this.from.pause();
    else this.from.resume();
  }

  private passOn(chunk: Buffer, then?: () => void): void {
    const { delayMs, bytesPerSecond } = this.weather;
    if (this.waiting === 0 && delayMs === 0 && bytesPerSecond === Number.POSITIVE_INFINITY) {
      this.to.write(chunk, then);
      return;
    }
    const due = Date.now() + delayMs;
    this.waitingBytes += chunk.length;
    this.weatherChanged();
    this.later(async () => {
      await pause(due - Date.now());
      await this.inPortions(chunk, then);
      this.waitingBytes -= chunk.length;
      this.weatherChanged();
    });
  }

  private async inPortions(chunk: Buffer, then?: () => void): Promise<void> {
    let start = 0;
    while (start < chunk.length && !this.stopped) {
      const { bytesPerSecond } = this.weather;
      const portion = Math.min(chunk.length - start, Math.ceil((bytesPerSecond * PORTION_MS) / 1_000));
      await pause((portion / bytesPerSecond) * 1_000);
      const end = start + portion;
      this.to.write(chunk.subarray(start, end), end === chunk.length ? then : undefined);
      start = end;
    }
  }

  private later(work: () => Promise<void>): void {
    this.waiting++;
    this.last = this.last
      .then(() => (this.stopped ? undefined : work()))
      .finally(() => {
        this.waiting--;
      });
  }
}

function pause(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms).unref());
}
