import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Server, type ServerOptions } from 'socket.io';
import { CONFIG, type Config } from '../../config.js';
import { FRAME_BYTES_MAX } from '../../contract/wire.js';
import { ClientAddress } from '../client.address.js';
import { RateLimiter } from '../limits/rate.limiter.js';
import { SecurityLog } from '../observability/security.log.js';
import { ADMIN_UI, type AdminUi } from './admin.ui.js';
import { Handshake } from './handshake.js';
import type { HubServer, HubSocket } from './hub.socket.js';
import { LoadShedder } from './load.shedder.js';
import { MessageAdmission } from './message.admission.js';
import { MessageDispatcher } from './message.dispatcher.js';
import { corsOrigin, isAllowedOrigin } from './origins.js';
import { packetParser } from './packet.encoder.js';
import { terminate } from './send.buffer.js';

const CONNECT_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 10_000;
/** How long a client that is being disconnected has to receive the reason. */
const CLOSE_GRACE_MS = 1_000;

/** Nest's adapter for Socket.IO, with the hub's limits, handshake and message dispatch. */
@Injectable()
export class SocketAdapter extends IoAdapter {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(ADMIN_UI) private readonly adminUi: AdminUi | undefined,
    private readonly addresses: ClientAddress,
    private readonly handshake: Handshake,
    private readonly dispatcher: MessageDispatcher,
    private readonly admission: MessageAdmission,
    private readonly limits: RateLimiter,
    private readonly security: SecurityLog,
  ) {
    super();
  }

  override createIOServer(_port: number, options?: ServerOptions): Server {
    this.dispatcher.start();
    const server: HubServer = new Server(this.host.httpAdapter.getHttpServer(), {
      ...options,
      serveClient: false,
      maxHttpBufferSize: FRAME_BYTES_MAX,
      connectTimeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      parser: packetParser,
      cors: { origin: corsOrigin(this.config) },
      // CORS does not apply to WebSockets, which a page of any origin can open.
      allowRequest: (request: IncomingMessage, callback: (error: string | undefined, allowed: boolean) => void) =>
        callback(undefined, this.isAllowed(request)),
    } as unknown as ServerOptions);
    server.engine.on('connection', (connection: HubSocket['conn']) => {
      this.limits.connected(this.addresses.of(connection.request), (closed) => connection.once('close', closed));
      connection.once('close', () => setTimeout(() => terminate(connection), CLOSE_GRACE_MS).unref());
    });
    server.use(this.handshake.middleware);
    this.adminUi?.(server as unknown as Server, this.security);
    return server as unknown as Server;
  }

  /** Nest calls this for each new socket. Every packet goes to the dispatcher, and none to other listeners. */
  override bindMessageHandlers(socket: HubSocket): void {
    this.dispatcher.attach(socket);
    LoadShedder.attach(socket, this.admission);
  }

  private isAllowed(request: IncomingMessage): boolean {
    // JSONP would let the scripts of any page read the answer: a script is requested without an origin.
    if (new URLSearchParams(request.url?.split('?')[1]).has('j')) return false;
    const isAllowed = isAllowedOrigin(request, this.config);
    if (!isAllowed) this.security.record('origin-refused', { address: this.addresses.of(request) });
    return isAllowed && !this.limits.isCrowded(this.addresses.of(request));
  }
}
