import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import { type ReadControl, webSocketOf } from './read.control.js';

type EngineConnection = Socket['conn'];

interface Packet {
  data?: string | Buffer;
}
/** Engine.IO's private means of flushing. */
interface FlushableConnection {
  flush(): void;
  /** Replaced by each flush. */
  writeBuffer: Packet[];
}

/**
 * Bytes that may queue for a slow consumer. If the queue has not drained a moment later, the client is disconnected to free the
 * hub's memory. It reconnects with `last`, and misses no event.
 */
export const SLOW_CONSUMER_BYTES = 1_048_576;
const SLOW_CONSUMER_MS = 1_000;
/** Beyond this, the client is disconnected at once. */
const HARD_LIMIT_BYTES = 4 * SLOW_CONSUMER_BYTES;
/** Above this, neither the socket nor the database is read for the client: further answers would only queue as well. */
const HIGH_WATER_MARK_BYTES = 262_144;
/** Engine.IO clients of other languages refuse a long-polling answer with more packets. */
const POLLING_PACKETS_MAX = 16;
/** Memory that a packet takes besides its text. */
const PACKET_OVERHEAD_BYTES = 200;

/** Measures what waits in Engine.IO's write buffer because the client has not yet received what came before. */
export class SendBuffer {
  private queuedBytes = 0;
  private slowConsumerTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly connection: EngineConnection,
    private readonly readControl: ReadControl,
    private readonly onSlowConsumer: () => void,
  ) {}

  /** Measures a connection from its first packet on, and disconnects its client if it is too slow. */
  static attach(connection: EngineConnection, readControl: ReadControl, onSlowConsumer: () => void): SendBuffer {
    const buffer = new SendBuffer(connection, readControl, onSlowConsumer);
    connection.on('packetCreate', ({ data = '' }: { data?: string | Buffer }) => buffer.onPacket(data));
    // Engine.IO hands the whole buffer to the transport at once, and flushes again when that is written.
    connection.on('flush', () => buffer.onFlush());
    buffer.coalesceFlushes();
    connection.once('close', () => buffer.clearSlowConsumerTimer());
    return buffer;
  }

  /** What is queued, and what the WebSocket was handed and the client has not received yet. */
  get unsentBytes(): number {
    return this.queuedBytes + (tcpSocketOf(this.connection)?.writableLength ?? 0);
  }

  /** Resolves once the queue is below the high-water mark. */
  belowHighWaterMark(): Promise<void> {
    return this.drained(HIGH_WATER_MARK_BYTES);
  }

  /** Resolves once at most that many bytes are queued, or the connection has closed. */
  async drained(bytesMax = 0): Promise<void> {
    while (this.queuedBytes > bytesMax && this.connection.readyState === 'open') {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.connection.off('flush', done).off('close', done);
          resolve();
        };
        this.connection.on('flush', done).on('close', done);
      });
    }
  }

  /**
   * Writes everything that is emitted in one turn of the event loop with one system call: an answer, its pushes, and those of the
   * batch's other commands. Engine.IO would write each packet alone, at twice the CPU for an answer and two pushes.
   */
  private coalesceFlushes(): void {
    const flushable = this.connection as unknown as FlushableConnection;
    const flush = flushable.flush.bind(flushable);
    let isScheduled = false;
    flushable.flush = () => {
      if (isScheduled) return;
      isScheduled = true;
      process.nextTick(() => {
        isScheduled = false;
        const socket = tcpSocketOf(this.connection);
        socket?.cork();
        const heldBack = this.holdBack(flushable);
        flush();
        this.restore(flushable, heldBack);
        socket?.uncork();
      });
    };
  }

  /** Takes from the write buffer what the next long-polling answer has no room for. A closing connection has only one more. */
  private holdBack({ writeBuffer }: FlushableConnection): Packet[] {
    const { transport, readyState } = this.connection;
    const isBounded = transport.name === 'polling' && transport.writable && readyState === 'open';
    return isBounded ? writeBuffer.splice(POLLING_PACKETS_MAX) : [];
  }

  /** The next poll flushes again. */
  private restore(flushable: FlushableConnection, heldBack: readonly Packet[]): void {
    if (heldBack.length === 0) return;
    flushable.writeBuffer.unshift(...heldBack);
    this.queuedBytes = flushable.writeBuffer.reduce((sum, { data }) => sum + bytesOf(data), 0);
  }

  private onPacket(data: string | Buffer): void {
    // Compared before the packet is added: a single large answer is fine if the client receives it.
    if (this.queuedBytes > HARD_LIMIT_BYTES) return void this.disconnectSlowConsumer();
    if (this.queuedBytes > SLOW_CONSUMER_BYTES)
      this.slowConsumerTimer ??= setTimeout(() => this.disconnectSlowConsumer(), SLOW_CONSUMER_MS);
    this.queuedBytes += bytesOf(data);
    // A long-polling client must still be read from: its requests are what fetches the packets.
    if (this.queuedBytes > HIGH_WATER_MARK_BYTES && webSocketOf(this.connection)) this.readControl.pause('behind');
  }

  private onFlush(): void {
    this.readControl.resume('behind');
    this.queuedBytes = 0;
    this.clearSlowConsumerTimer();
  }

  private clearSlowConsumerTimer(): void {
    clearTimeout(this.slowConsumerTimer);
    this.slowConsumerTimer = undefined;
  }

  disconnectSlowConsumer(): void {
    this.onSlowConsumer();
    this.connection.close(true);
    terminate(this.connection);
  }
}

/** Destroys the WebSocket: a closing handshake with a client that does not read would keep it open for half a minute. */
export function terminate(connection: EngineConnection): void {
  webSocketOf(connection)?.terminate();
}

/** The WebSocket's own TCP socket: after an upgrade it is not that of the first request. */
function tcpSocketOf(connection: EngineConnection): TcpSocket | null | undefined {
  return webSocketOf(connection)?._socket;
}

function bytesOf(data: Packet['data'] = ''): number {
  return PACKET_OVERHEAD_BYTES + Buffer.byteLength(data);
}
