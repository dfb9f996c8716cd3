import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ClientAddress } from '../client.address.js';
import { Logger } from '../observability/logger.js';
import { Metrics } from '../observability/metrics.js';

/** How long a client may take none of an answer's bytes. Node's timer counts partial writes as progress. */
export const STALLED_MS = 5_000;
/** How often the bytes are summed. */
const CHECK_MS = 100;
/** Bytes of answers that may wait for their clients, of all connections together. */
export const UNREAD_BYTES_MAX = 67_108_864;

interface Unread {
  address: string;
  bytes: number;
}

/**
 * Bounds the memory of HTTP answers that their clients do not read: a connection without progress is destroyed, and above the
 * total the oldest connection of the address with most unread bytes.
 */
@Injectable()
export class SlowReaders implements OnApplicationShutdown {
  private readonly open = new Map<ServerResponse, IncomingMessage>();
  private readonly timed = new WeakSet<ServerResponse>();
  private readonly timer = setInterval(() => this.check(), CHECK_MS).unref();

  constructor(
    private readonly addresses: ClientAddress,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {}

  /** Before any other listener, so that it sees the requests of Socket.IO too. */
  watch(server: Server): void {
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      this.open.set(response, request);
      response.once('close', () => this.open.delete(response));
    });
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    const unread = this.unread();
    let total = 0;
    for (const { bytes } of unread.values()) total += bytes;
    while (total > UNREAD_BYTES_MAX) {
      const [socket, waiting] = worstOf(unread);
      total -= waiting.bytes;
      unread.delete(socket);
      this.destroy(socket, waiting);
    }
  }

  /** By connection, which may have pipelined its requests. */
  private unread(): Map<Socket, Unread> {
    const unread = new Map<Socket, Unread>();
    for (const [response, request] of this.open) {
      const { socket } = request;
      // Node emits no `close` of an answer that waits behind another one.
      if (socket.destroyed) this.open.delete(response);
      const bytes = response.writableEnded && !socket.destroyed ? response.writableLength : 0;
      if (bytes === 0) continue;
      const waiting = unread.get(socket) ?? { address: this.addresses.of(request), bytes: 0 };
      waiting.bytes += bytes;
      unread.set(socket, waiting);
      this.destroyIfStalled(response, socket, waiting);
    }
    return unread;
  }

  private destroyIfStalled(response: ServerResponse, socket: Socket, waiting: Unread): void {
    if (response.socket === null || this.timed.has(response)) return;
    this.timed.add(response);
    response.setTimeout(STALLED_MS, () => this.destroy(socket, waiting));
  }

  private destroy(socket: Socket, waiting: Unread): void {
    this.metrics.limited('slow-readers');
    this.logger.warn({ ...waiting }, 'slow reader disconnected');
    socket.destroy();
  }
}

/** The oldest connection of the address with most unread bytes. */
function worstOf(unread: ReadonlyMap<Socket, Unread>): [Socket, Unread] {
  const byAddress = new Map<string, number>();
  for (const { address, bytes } of unread.values()) byAddress.set(address, (byAddress.get(address) ?? 0) + bytes);
  const most = Math.max(...byAddress.values());
  const worst = [...unread].find(([, { address }]) => byAddress.get(address) === most);
  if (!worst) throw new Error('No connection has unread bytes');
  return worst;
}
