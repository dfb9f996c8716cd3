import { Inject, Injectable } from '@nestjs/common';
import { HubError } from '../../contract/errors.js';
import { parse } from '../../contract/parse.js';
import { handshake } from '../../contract/rooms.js';
import type { Principal } from '../caller.js';
import { ClientAddress } from '../client.address.js';
import { retryRead } from '../database/retry.read.js';
import { ErrorMapper } from '../error.mapper.js';
import { MESSAGES_PER_SOCKET, RateLimiter } from '../limits/rate.limiter.js';
import { readKeyOf } from '../limits/read.limiter.js';
import { withTimeout } from '../limits/timeouts.js';
import { TokenBucket } from '../limits/token.bucket.js';
import { SecurityLog } from '../observability/security.log.js';
import type { HubSocket } from './hub.socket.js';
import { ReadControl } from './read.control.js';
import { SendBuffer } from './send.buffer.js';
import { SendBuffers } from './send.buffers.js';
import { SocketRegistry } from './socket.registry.js';

/** Less than the answer timeout, so that the client receives the error itself. */
const AUTHENTICATE_FOR_MS = 3_500;

/** Provided by the feature that knows tokens. */
export const AUTHENTICATOR = Symbol('AUTHENTICATOR');
export interface Authenticator {
  /** Whom this token stands for; throws `UNAUTHENTICATED`. */
  authenticate(token: string): Promise<Principal>;
  /** The same where it acts for a seller; throws `FORBIDDEN` unless it is a member of the seller's staff. */
  actFor(principal: Principal, ownerId: string): Promise<Principal>;
}

/** Socket.IO's middleware for a new socket: authenticates it, and prepares what the hub keeps of it in `socket.data`. */
@Injectable()
export class Handshake {
  constructor(
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    private readonly addresses: ClientAddress,
    private readonly sockets: SocketRegistry,
    private readonly sendBuffers: SendBuffers,
    private readonly limits: RateLimiter,
    private readonly errors: ErrorMapper,
    private readonly security: SecurityLog,
  ) {}

  readonly middleware = (socket: HubSocket, next: (error?: Error) => void): void => {
    withTimeout(this.admit(socket)).then(
      () => next(),
      (error: unknown) => {
        const data = this.errors.toErrorBody(error);
        this.security.record('handshake-refused', { ...this.describeClient(socket), code: data.code });
        next(Object.assign(new Error(data.code), { data }));
      },
    );
  };

  /** Who is at the other end, for the security log. Until the socket is admitted, that is an address. */
  describeClient({ data, request }: HubSocket): { user: string | undefined; address: string } {
    const { caller } = data as Partial<HubSocket['data']>;
    const address = caller?.address ?? this.addresses.of(request);
    return { user: caller?.userId, address };
  }

  /** Authenticates before it reads the rest of the handshake, so that an unauthenticated client learns nothing from its errors. */
  private async admit(socket: HubSocket): Promise<void> {
    if (this.sockets.draining) throw new HubError('UNAVAILABLE');
    const address = this.addresses.of(socket.request);
    this.limits.handshake(address);
    const { token } = socket.handshake.auth;
    if (typeof token !== 'string') throw new HubError('UNAUTHENTICATED');
    const person = await this.read(socket, () => this.authenticator.authenticate(token));
    // The operator's key has no user, and so no rooms.
    if (person.kind === 'operator') throw new HubError('FORBIDDEN');
    this.limits.refundUnauthenticated(address);
    const { last, for: ownerId } = parse(handshake, socket.handshake.auth);
    const principal =
      ownerId === undefined ? person : await this.read(socket, () => this.authenticator.actFor(person, ownerId));
    // A connection that has closed meanwhile emits no `close` any more, and would be counted for ever.
    if (socket.conn.readyState === 'closed') throw new HubError('UNAVAILABLE');
    this.limits.admitted(principal.userId, (closed) => socket.conn.once('close', closed));
    const readControl = new ReadControl(socket.conn);
    const onSlowConsumer = () => this.sockets.recordClosed(socket, 'slow-consumer');
    const sendBuffer = SendBuffer.attach(socket.conn, readControl, onSlowConsumer);
    this.sendBuffers.add(sendBuffer, principal.userId, (closed) => socket.conn.once('close', closed));
    socket.data = {
      caller: { ...principal, address, readKey: readKeyOf(principal.userId), isConnected: () => socket.connected },
      last,
      messageBucket: new TokenBucket(MESSAGES_PER_SOCKET),
      readControl,
      sendBuffer,
      lastAnswered: undefined,
    };
  }

  /** Waits for a database that is away for a moment: after a `connect_error` a default Socket.IO client does not reconnect. */
  private async read({ conn }: HubSocket, read: () => Promise<Principal>): Promise<Principal> {
    const attempt = () =>
      read().catch((error: unknown) => {
        if (error instanceof HubError && error.code !== 'UNAVAILABLE') return error;
        throw error;
      });
    const result = await retryRead(attempt, () => conn.readyState === 'open', AUTHENTICATE_FOR_MS);
    if (result instanceof HubError) throw result;
    return result;
  }
}
