import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { Refusal } from '../contract/errors.js';
import { Connections } from '../platform/connections.js';
import { withinDeadline } from '../platform/deadline.js';
import { type HubRequest, routeOf } from '../platform/http.js';
import { SessionsService } from './sessions.service.js';

/** Lets a request in if its route is open, or if it bears the token of a session. Guards all of HTTP. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly sessions: SessionsService,
    private readonly connections: Connections,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const route = routeOf(context);
    if (this.connections.draining && !route.probe) throw new Refusal('UNAVAILABLE');
    if (route.open) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<HubRequest>();
    const response = http.getResponse<Response>();
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined) throw new Refusal('UNAUTHENTICATED');
    const holder = await withinDeadline(this.sessions.authenticate(token));
    request.caller = { ...holder, isThere: () => !response.destroyed, message: request.message };
    return true;
  }
}
