import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { ListRequest } from '../contract/orders.js';
import type { ReadRequest } from '../contract/rooms.js';
import type { MessageName, Request } from '../contract/wire.js';
import type { Caller } from '../platform/caller.js';
import { FromCaller, Input, reply, Serves } from '../platform/http.js';
import { OrdersGateway } from './orders.gateway.js';

type Sent<Name extends MessageName> = Request<Name>;

/** The same messages for callers without a socket: each goes the gateway's way, word for word. */
@Controller()
export class OrdersController {
  constructor(private readonly gateway: OrdersGateway) {}

  @Serves('place')
  async place(
    @FromCaller() caller: Caller,
    @Input() request: Sent<'order:place'>,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['order:place'](caller, request));
  }

  @Serves('pay')
  async pay(
    @FromCaller() caller: Caller,
    @Input() request: Sent<'order:pay'>,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['order:pay'](caller, request));
  }

  @Serves('ship')
  async ship(
    @FromCaller() caller: Caller,
    @Input() request: Sent<'order:ship'>,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['order:ship'](caller, request));
  }

  @Serves('receive')
  async receive(
    @FromCaller() caller: Caller,
    @Input() request: Sent<'order:receive'>,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['order:receive'](caller, request));
  }

  @Serves('cancel')
  async cancel(
    @FromCaller() caller: Caller,
    @Input() request: Sent<'order:cancel'>,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['order:cancel'](caller, request));
  }

  @Serves('orders')
  async list(
    @FromCaller() caller: Caller,
    @Input() request: ListRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['order:list'](caller, request));
  }

  @Serves('order')
  async get(
    @FromCaller() caller: Caller,
    @Input() request: Sent<'order:get'>,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['order:get'](caller, request));
  }

  @Serves('roomEvents')
  async events(
    @FromCaller() caller: Caller,
    @Input() request: ReadRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.gateway['room:read'](caller, request));
  }
}
