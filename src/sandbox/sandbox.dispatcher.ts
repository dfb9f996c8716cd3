import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { isMessageName } from '../contract/wire.js';
import type { HubSocket } from '../platform/sockets/hub.socket.js';
import { MessageDispatcher } from '../platform/sockets/message.dispatcher.js';
import { terminate } from '../platform/sockets/send.buffer.js';
import { type Fault, MessageFaults } from './message.faults.js';
import { Transcripts } from './transcripts.js';

type Acknowledge = (answer: unknown) => void;
const ignore: Acknowledge = () => {};

/** Dispatches messages as always, but writes down what is said and heard, and does to messages what a test asks for. */
@Injectable()
export class SandboxDispatcher extends MessageDispatcher {
  @Inject(MessageFaults) private readonly faults!: MessageFaults;
  @Inject(Transcripts) private readonly transcripts!: Transcripts;
  /** Resolves when the delays of a socket's messages so far are over. */
  private readonly delays = new WeakMap<HubSocket, Promise<void>>();

  override attach(socket: HubSocket): void {
    super.attach(socket);
    const { userId } = socket.data.caller;
    socket.onAnyOutgoing((name: string, data: unknown) => {
      this.transcripts.write(userId, { way: 'socket', direction: 'heard', name }, data);
    });
  }

  /** As on a slow line, what follows a delayed message comes after it. */
  override receive(socket: HubSocket, packet: unknown[]): void {
    const earlier = this.delays.get(socket);
    const arrived = earlier ? earlier.then(() => this.arrive(socket, packet)) : this.arrive(socket, packet);
    if (!arrived) return;
    this.delays.set(socket, arrived);
    void arrived.then(() => {
      if (this.delays.get(socket) === arrived) this.delays.delete(socket);
    });
  }

  /** Returns a promise if the message is delayed. */
  private arrive(socket: HubSocket, packet: unknown[]): Promise<void> | undefined {
    if (!socket.connected) return undefined;
    const last = packet.at(-1);
    const acknowledge = typeof last === 'function' ? (last as Acknowledge) : undefined;
    const [name, ...payload] = acknowledge ? packet.slice(0, -1) : packet;
    const { userId } = socket.data.caller;
    const fault = isMessageName(name) ? this.faults.take(userId, name) : undefined;
    const said = { way: 'socket', direction: 'said', name: String(name) } as const;
    const entry = this.transcripts.write(userId, said, payload.length > 1 ? payload : payload[0]);
    if (fault) entry.fault(fault.do);
    const answer =
      acknowledge &&
      ((answer: unknown) => {
        entry.answer(answer);
        acknowledge(answer);
      });
    const message = [name, ...payload];
    if (fault) return this.spoil(socket, message, answer, fault);
    super.receive(socket, withAcknowledge(message, answer));
    return undefined;
  }

  private spoil(
    socket: HubSocket,
    message: unknown[],
    answer: Acknowledge | undefined,
    fault: Fault,
  ): Promise<void> | undefined {
    const pass = (acknowledge: Acknowledge | undefined) => {
      super.receive(socket, withAcknowledge(message, acknowledge));
      return undefined;
    };
    switch (fault.do) {
      case 'drop-ack':
        return pass(ignore);
      case 'cut-before':
        cut(socket);
        return undefined;
      case 'cut-after-commit':
        return pass(() => cut(socket));
      case 'twice':
        pass(answer);
        return pass(ignore);
      case 'delay':
        return sleep(fault.ms, undefined, { ref: false }).then(() => (socket.connected ? pass(answer) : undefined));
    }
  }
}

function withAcknowledge(message: unknown[], acknowledge: Acknowledge | undefined): unknown[] {
  return acknowledge ? [...message, acknowledge] : message;
}

/** As if the line broke: what is queued for the client is lost too. */
function cut({ conn }: HubSocket): void {
  conn.close(true);
  terminate(conn);
}
