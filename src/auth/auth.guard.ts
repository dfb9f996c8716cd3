import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { CONFIG, type Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import { addressOf } from '../platform/address.js';
import type { SessionHolder } from '../platform/caller.js';
import { Connections } from '../platform/connections.js';
import { withinDeadline } from '../platform/deadline.js';
import { type HubRequest, routeOf } from '../platform/http.js';
import { Limits } from '../platform/limits.js';
import { SessionsService } from './sessions.service.js';

/** Lets a request in if its route is open, or if it bears the token of a session; and if it is not one too many. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly sessions: SessionsService,
    private readonly connections: Connections,
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const route = routeOf(context);
    if (route.probe) return true;
    if (this.connections.draining) throw new Refusal('UNAVAILABLE');
    const request = context.switchToHttp().getRequest<HubRequest>();
    const response = context.switchToHttp().getResponse<Response>();
    const sender = {
      address: addressOf(request, this.config.trustProxy),
      isThere: () => !response.destroyed,
      message: request.message,
    };
    request.sender = sender;
    this.limits.stranger(sender.address);
    if (route.open) return true;
    const holder = await this.holderOf(request);
    this.limits.known(sender.address);
    this.limits.request(holder.userId);
    request.caller = { ...holder, ...sender };
    return true;
  }

  private async holderOf({ headers }: HubRequest): Promise<SessionHolder> {
    const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) throw new Refusal('UNAUTHENTICATED');
    return withinDeadline(this.sessions.authenticate(token));
  }
}
