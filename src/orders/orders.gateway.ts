import { type OnGatewayConnection, WebSocketGateway } from '@nestjs/websockets';
import { SessionsService } from '../auth/sessions.service.js';
import { CommandQueue } from '../commands/command.queue.js';
import type { Answer, Data, MessageName, Request } from '../contract/wire.js';
import type { Caller } from '../platform/caller.js';
import { Connections } from '../platform/connections.js';
import type { MessageHandlers } from '../platform/socket.adapter.js';
import type { HubSocket } from '../platform/socket.js';
import { RoomFeeds } from '../rooms/room.feeds.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { OrderReads } from './order.reads.js';

type Given<Name extends MessageName> = Promise<Answer<Data<Name>>>;

/** The way in over sockets: the methods bear the names of the contract's messages, and are bound by the socket adapter. */
@WebSocketGateway()
export class OrdersGateway implements MessageHandlers, OnGatewayConnection<HubSocket> {
  constructor(
    private readonly commands: CommandQueue,
    private readonly reads: OrderReads,
    private readonly rooms: RoomsService,
    private readonly feeds: RoomFeeds,
    private readonly connections: Connections,
    private readonly sessions: SessionsService,
  ) {}

  /** The socket was authenticated at its handshake. Its session may have ended since, unseen by who ended it. */
  async handleConnection(socket: HubSocket): Promise<void> {
    this.connections.add(socket);
    const { caller } = socket.data;
    try {
      const ending = await this.sessions.endingOf(caller);
      if (ending === undefined) await this.feeds.join(socket);
      else this.connections.endSessions(caller.userId, ending, ({ sessionId }) => sessionId === caller.sessionId);
    } catch {
      socket.disconnect(true);
    }
  }

  'order:place'(caller: Caller, request: Request<'order:place'>): Given<'order:place'> {
    return this.commands.give('order:place', caller.userId, request, caller);
  }

  'order:pay'(caller: Caller, request: Request<'order:pay'>): Given<'order:pay'> {
    return this.commands.give('order:pay', caller.userId, request, caller);
  }

  'order:ship'(caller: Caller, request: Request<'order:ship'>): Given<'order:ship'> {
    return this.commands.give('order:ship', caller.userId, request, caller);
  }

  'order:receive'(caller: Caller, request: Request<'order:receive'>): Given<'order:receive'> {
    return this.commands.give('order:receive', caller.userId, request, caller);
  }

  'order:cancel'(caller: Caller, request: Request<'order:cancel'>): Given<'order:cancel'> {
    return this.commands.give('order:cancel', caller.userId, request, caller);
  }

  async 'order:get'(caller: Caller, { orderId }: Request<'order:get'>): Given<'order:get'> {
    return { ok: true, data: await this.reads.get(caller.userId, orderId) };
  }

  async 'order:list'(caller: Caller, request: Request<'order:list'>): Given<'order:list'> {
    return { ok: true, data: await this.reads.list(caller.userId, request) };
  }

  async 'room:read'(caller: Caller, request: Request<'room:read'>): Given<'room:read'> {
    return { ok: true, data: await this.rooms.read(caller.userId, request) };
  }
}
