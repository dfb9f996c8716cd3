import { Agent } from 'node:http';
import { io, type Socket } from 'socket.io-client';
import type { Last } from '../../src/contract/rooms.js';
import type { ServerToClient } from '../../src/contract/wire.js';
import type { Person } from './person.js';

/** A user's Socket.IO client with its default reconnection, which remembers the last event of each room. */
export class DefaultClient {
  readonly socket: Socket<ServerToClient>;
  /** The events received, as `buyer 3`. */
  readonly events: string[] = [];
  readonly disconnects: string[] = [];
  ready = 0;
  private readonly last: Required<Last> = { buyer: 0, seller: 0 };

  /** From a local address, if given, as a client elsewhere would have another. */
  constructor({ hub, token }: Person, transports: ('websocket' | 'polling')[] = ['websocket'], localAddress?: string) {
    this.socket = io(hub.url, {
      auth: (send) => send({ token, last: this.last }),
      transports,
      ...(localAddress === undefined ? {} : { agent: new Agent({ localAddress, keepAlive: true }) as never }),
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 500,
    });
    this.socket.on('order:status', ({ role, seq }) => {
      this.events.push(`${role} ${seq}`);
      this.last[role] = seq;
    });
    this.socket.on('room:ready', () => this.ready++);
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason));
  }
}
