import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { HubError } from '../../contract/errors.js';
import { parse } from '../../contract/parse.js';
import { type Answer, isCommand, isMessageName, type MessageName, messages } from '../../contract/wire.js';
import { type Caller, requireRight } from '../caller.js';
import { Clock } from '../clock/clock.js';
import { ErrorMapper } from '../error.mapper.js';
import { ReadLimiter } from '../limits/read.limiter.js';
import { withTimeout } from '../limits/timeouts.js';
import { RequestObserver, UNKNOWN_NAME } from '../observability/request.observer.js';
import type { HubSocket } from './hub.socket.js';
import { cachedJson, cacheJson } from './json.cache.js';
import { MessageAdmission } from './message.admission.js';
import { MessageBinding } from './message.binding.js';
import type { MessageHandler } from './message.handlers.js';
import { throttleReads } from './read.throttle.js';
import { SocketRegistry } from './socket.registry.js';

type Acknowledge = (answer: Answer<unknown>) => void;

interface Message {
  name: unknown;
  payload: unknown[];
  acknowledge: Acknowledge | undefined;
}

const MESSAGE_NAME_CHARACTERS_MAX = 100;

/**
 * Parses each message by the contract, calls its gateway method and acknowledges the answer, whatever is thrown. Nest's own
 * binding loses the acknowledgement of a failure, answers the messages of one socket in any order, and costs 2 µs a message.
 */
@Injectable()
export class MessageDispatcher {
  private handlers: ReadonlyMap<MessageName, MessageHandler> = new Map();

  constructor(
    private readonly binding: MessageBinding,
    private readonly admission: MessageAdmission,
    private readonly sockets: SocketRegistry,
    private readonly reads: ReadLimiter,
    private readonly errors: ErrorMapper,
    private readonly observer: RequestObserver,
    private readonly clock: Clock,
  ) {}

  /** Before the first message: finds the method of each. */
  start(): void {
    this.handlers = this.binding.bind();
  }

  /** Every packet of the socket is handled here, and none by other listeners. */
  attach(socket: HubSocket): void {
    socket.use((packet) => this.receive(socket, packet));
  }

  /** Handles a packet that the socket has received, of whatever name. */
  receive(socket: HubSocket, packet: unknown[]): void {
    const last = packet.at(-1);
    const acknowledge = typeof last === 'function' ? (last as Acknowledge) : undefined;
    // A packet without a name is answered too.
    const [name, ...payload] = acknowledge ? packet.slice(0, -1) : packet;
    const rejection = this.admission.check(socket, name);
    if (rejection) {
      respond(socket, { name, acknowledge }, { ok: false, error: rejection.error(1) });
      throttleReads(socket);
      return;
    }
    this.admission.admit(socket);
    const answered = this.handle(socket, { name, payload, acknowledge }, socket.data.lastAnswered);
    socket.data.lastAnswered = answered;
    void answered.then(() => {
      if (socket.data.lastAnswered === answered) socket.data.lastAnswered = undefined;
    });
  }

  /**
   * Messages of one socket take effect and are answered in the order in which they were sent, but for rejections, which are useful
   * only while they are true. Resolves when this message and those before it are answered; never rejects.
   */
  private async handle(socket: HubSocket, message: Message, earlier: Promise<void> | undefined): Promise<void> {
    const { caller } = socket.data;
    const { name } = message;
    const context = this.observer.begin('socket', isMessageName(name) ? name : UNKNOWN_NAME);
    try {
      const answer = await this.answer({ ...caller, context }, message, () => readyToRead(socket, earlier));
      await earlier;
      respond(socket, message, answer);
      const code = answer.ok ? 'OK' : answer.error.code;
      this.observer.end(context, code, { user: caller.userId, address: caller.address });
    } catch (error) {
      this.errors.toErrorBody(error, { id: context.id });
    }
  }

  private async answer(
    caller: Caller,
    { name, payload }: Message,
    readyToRead: () => Promise<void>,
  ): Promise<Answer<unknown>> {
    try {
      if (this.sockets.draining) throw new HubError('UNAVAILABLE');
      if (caller.expiresAt <= this.clock.realNow()) throw new HubError('UNAUTHENTICATED');
      const handler = isMessageName(name) ? this.handlers.get(name) : undefined;
      if (!isMessageName(name) || !handler) throw new HubError('UNKNOWN_MESSAGE');
      requireRight(caller, messages[name]);
      caller.onUse?.();
      if (payload.length > 1) throw HubError.badMessage([{ path: '', problem: 'must be one object' }]);
      const request = parse(messages[name].request, payload[0]);
      // A command goes straight to its queue, which keeps the order.
      if (isCommand(name)) return (await withTimeout(handler(caller, request))) as Answer<unknown>;
      const data = await withTimeout(this.read(handler, caller, request, readyToRead()));
      return cacheJson({ ok: true, data }, `{"ok":true,"data":${cachedJson(data)}}`);
    } catch (error) {
      return { ok: false, error: this.errors.toErrorBody(error, { id: caller.context?.id }) };
    }
  }

  private async read(handler: MessageHandler, caller: Caller, request: unknown, ready: Promise<void>) {
    await ready;
    return this.reads.read(caller, () => handler(caller, request));
  }
}

/** A read waits for the messages before it, and until the client has taken most of what it was sent. */
async function readyToRead({ data: { sendBuffer } }: HubSocket, earlier: Promise<void> | undefined): Promise<void> {
  await earlier;
  // The embedded database never yields: let other sockets be served between two reads.
  await setImmediate();
  await sendBuffer.belowHighWaterMark();
}

/** Acknowledges the answer. For a message without an acknowledgement only a failure is reported, by a push. */
function respond(socket: HubSocket, { name, acknowledge }: Omit<Message, 'payload'>, answer: Answer<unknown>): void {
  if (acknowledge) {
    acknowledge(answer);
  } else if (!answer.ok) {
    const message = String(name).slice(0, MESSAGE_NAME_CHARACTERS_MAX);
    socket.emit('order:error', { message, error: answer.error });
  }
}
