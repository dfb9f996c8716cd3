import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';
import type { Config } from '../config.js';
import { type ErrorBody, Refusal } from '../contract/errors.js';
import { parse } from '../contract/parse.js';
import { handshake } from '../contract/rooms.js';
import {
  type Answer,
  type Data,
  FRAME_BYTES_MAX,
  isCommand,
  isMessageName,
  type MessageName,
  messages,
  type Request,
} from '../contract/wire.js';
import { addressOf } from './address.js';
import type { AdminUi } from './admin.ui.js';
import type { Caller, SessionHolder } from './caller.js';
import type { Connections } from './connections.js';
import { withinDeadline } from './deadline.js';
import { type Desk, Doorman } from './doorman.js';
import type { Faults } from './faults.js';
import { type Journal, UNLISTED } from './journal.js';
import { MESSAGES_PER_SOCKET } from './limits.js';
import { isAllowedOrigin } from './origins.js';
import { packetParser } from './packet.encoder.js';
import { Reading } from './reading.js';
import { rest } from './rest.js';
import type { HubServer, HubSocket } from './socket.js';
import { TokenBucket } from './token.bucket.js';
import { destroy, Unsent } from './unsent.js';

/** A gateway: one method a message of the contract. A message without its method does not compile. */
export type MessageHandlers = {
  [Name in MessageName]: (caller: Caller, request: Request<Name>) => Promise<Answer<Data<Name>>>;
};

/** What the adapter is handed by the features that it knows nothing of. */
export interface Door extends Desk {
  authenticate(token: string): Promise<SessionHolder>;
  handlers: MessageHandlers;
  connections: Connections;
  faults: Faults;
  journal: Journal;
  /** When it is switched on. */
  adminUi: AdminUi | undefined;
  config: Config;
}

type Acknowledge = (answer: Answer<unknown>) => void;

const CONNECT_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 10_000;
/** So long a client that was cut has to hear why. */
const GOODBYE_MS = 1_000;
const MESSAGE_NAME_CHARACTERS_MAX = 100;

/**
 * The way in over Socket.IO. Nest's own binding of messages loses the acknowledgement of a failure, answers the messages of
 * one socket in any order and costs an observable a message; this one parses, calls, answers, and answers whatever is thrown.
 */
export class SocketAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly door: Door,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const { config } = this.door;
    const server: HubServer = super.createIOServer(port, {
      ...options,
      serveClient: false,
      maxHttpBufferSize: FRAME_BYTES_MAX,
      connectTimeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      parser: packetParser,
      cors: { origin: config.allowedOrigins },
      // CORS does not hold for WebSockets: a foreign page could open one, so the origin is checked at the door itself.
      allowRequest: (request: IncomingMessage, callback: (error: string | undefined, allowed: boolean) => void) =>
        callback(undefined, this.isAllowed(request)),
    } as unknown as ServerOptions);
    server.engine.on('connection', (line: HubSocket['conn']) => {
      this.door.limits.connected(this.addressOf(line.request), (closed) => line.once('close', closed));
      line.once('close', () => setTimeout(() => destroy(line), GOODBYE_MS).unref());
    });
    server.use((socket, next) => {
      withinDeadline(this.admit(socket)).then(
        () => next(),
        (error: unknown) => {
          const data = this.door.faults.bodyOf(error);
          this.door.security.tell('handshake-refused', { ...this.whoIs(socket), code: data.code });
          next(Object.assign(new Error(data.code), { data }));
        },
      );
    });
    this.door.adminUi?.(server as unknown as Server, this.door.security);
    return server as unknown as Server;
  }

  /** Called by Nest for each new socket. Every packet is heard here, of whatever name, and none goes on to other listeners. */
  override bindMessageHandlers(socket: HubSocket): void {
    socket.use((packet) => this.hear(socket, packet));
    Doorman.stand(socket, this.door);
  }

  private isAllowed(request: IncomingMessage): boolean {
    // JSONP would hand the answer to the scripts of any page: a script is asked for without an origin.
    if (new URLSearchParams(request.url?.split('?')[1]).has('j')) return false;
    const isAllowed = isAllowedOrigin(request, this.door.config);
    if (!isAllowed) this.door.security.tell('origin-refused', { address: this.addressOf(request) });
    return isAllowed && !this.door.limits.isCrowded(this.addressOf(request));
  }

  private addressOf(request: IncomingMessage): string {
    return addressOf(request, this.door.config.trustProxy);
  }

  /** Who is at the other end. Before it was admitted, only where from. */
  private whoIs({ data, request }: HubSocket): { user: string | undefined; address: string } {
    const { caller } = data as Partial<HubSocket['data']>;
    return { user: caller?.userId, address: caller?.address ?? this.addressOf(request) };
  }

  /** Before anything else: who is this? Only then is the rest of the handshake read. */
  private async admit(socket: HubSocket): Promise<void> {
    if (this.door.connections.draining) throw new Refusal('UNAVAILABLE');
    const { limits } = this.door;
    const address = this.addressOf(socket.request);
    limits.handshake(address);
    const { token } = socket.handshake.auth;
    if (typeof token !== 'string') throw new Refusal('UNAUTHENTICATED');
    const holder = await this.door.authenticate(token);
    // Gone meanwhile, it would never tell that it goes, and be counted for ever.
    if (socket.conn.readyState === 'closed') throw new Refusal('UNAVAILABLE');
    limits.known(address);
    const { last } = parse(handshake, socket.handshake.auth);
    limits.admitted(holder.userId, (closed) => socket.conn.once('close', closed));
    const reading = new Reading(socket.conn);
    Object.assign(socket.data, {
      caller: { ...holder, address, isThere: () => socket.connected },
      last,
      messages: new TokenBucket(MESSAGES_PER_SOCKET),
      reading,
      unsent: Unsent.watch(socket.conn, reading),
    });
  }

  /**
   * Takes effect in the order sent, and is answered in that order: one socket never sees its own past. But "not now" is said
   * at once, because it is of use only as long as it is true.
   */
  private hear(socket: HubSocket, packet: unknown[]): void {
    const last = packet.at(-1);
    const acknowledge = typeof last === 'function' ? (last as Acknowledge) : undefined;
    const [name, ...payload] = acknowledge ? packet.slice(0, -1) : packet; // A message without a name is answered too.
    const refusal = this.refusalOf(socket, name);
    if (refusal) {
      tell(socket, name, acknowledge, { ok: false, error: refusal });
      rest(socket);
      return;
    }
    const message = { name, payload, acknowledge };
    const attended = this.attend(socket, message, socket.data.answered);
    socket.data.answered = attended;
    void attended.then(() => {
      if (socket.data.answered === attended) socket.data.answered = undefined;
    });
  }

  /** Answers a message after those that came before it. Resolves when all of them are answered; never rejects. */
  private async attend(
    socket: HubSocket,
    { name, payload, acknowledge }: { name: unknown; payload: unknown[]; acknowledge: Acknowledge | undefined },
    earlier: Promise<void> | undefined,
  ): Promise<void> {
    const message = this.door.journal.begin('socket', isMessageName(name) ? name : UNLISTED);
    try {
      const answer = await this.answer({ ...socket.data.caller, message }, name, payload, () =>
        mayRead(socket, earlier),
      );
      await earlier;
      tell(socket, name, acknowledge, answer);
      this.door.journal.end(message, answer.ok ? 'OK' : answer.error.code, this.whoIs(socket));
    } catch (error) {
      this.door.faults.bodyOf(error, { id: message.id });
    }
  }

  /** Before anything is made of a message: a flood of refusals must not cost what the work would have. */
  private refusalOf(socket: HubSocket, name: unknown): ErrorBody | undefined {
    const { caller, messages: bucket } = socket.data;
    const refusal = this.door.limits.message(caller.userId, bucket);
    if (refusal) this.door.security.tell('rate-limited', { ...this.whoIs(socket), code: refusal.code });
    else if (isCommand(name)) return this.door.queue.refusalOf(name, caller.userId);
    return refusal;
  }

  private async answer(
    caller: Caller,
    name: unknown,
    payload: unknown[],
    mayRead: () => Promise<void>,
  ): Promise<Answer<unknown>> {
    try {
      if (this.door.connections.draining) throw new Refusal('UNAVAILABLE');
      if (caller.expiresAt <= Date.now()) throw new Refusal('UNAUTHENTICATED');
      if (!isMessageName(name)) throw new Refusal('UNKNOWN_MESSAGE');
      if (payload.length > 1) throw Refusal.badMessage([{ path: '', problem: 'must be one object' }]);
      const request = parse(messages[name].request, payload[0]);
      // A command goes straight to its queue, which keeps the order.
      return await withinDeadline(this.call(name, caller, request, isCommand(name) ? undefined : mayRead()));
    } catch (error) {
      return { ok: false, error: this.door.faults.bodyOf(error, { id: caller.message?.id }) };
    }
  }

  private async call(
    name: MessageName,
    caller: Caller,
    request: unknown,
    before: Promise<void> | undefined,
  ): Promise<Answer<unknown>> {
    const handler = this.door.handlers[name] as (caller: Caller, request: unknown) => Promise<Answer<unknown>>;
    if (!before) return handler.call(this.door.handlers, caller, request);
    await before;
    return this.door.limits.work.pass(() => handler.call(this.door.handlers, caller, request), caller.isThere);
  }
}

/** A read waits for what was sent before it, and until the client has taken most of what it was told. */
async function mayRead({ data: { unsent } }: HubSocket, earlier: Promise<void> | undefined): Promise<void> {
  await earlier;
  // The embedded database answers without a pause: let others be heard between two reads.
  await setImmediate();
  await unsent.eased();
}

/** Through the acknowledgement. Without one only a failure is told, by a push. */
function tell(socket: HubSocket, name: unknown, acknowledge: Acknowledge | undefined, answer: Answer<unknown>): void {
  if (acknowledge) {
    acknowledge(answer);
  } else if (!answer.ok) {
    const message = String(name).slice(0, MESSAGE_NAME_CHARACTERS_MAX);
    socket.emit('order:error', { message, error: answer.error });
  }
}
