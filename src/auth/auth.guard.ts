import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Refusal } from '../contract/errors.js';
import { type HubRequest, routeOf } from '../platform/http.js';
import { SessionsService } from './sessions.service.js';

/** Lets a request in if its route is open, or if it bears the token of a session. Guards all of HTTP. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly sessions: SessionsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http' || routeOf(context).open) return true;
    const request = context.switchToHttp().getRequest<HubRequest>();
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined) throw new Refusal('UNAUTHENTICATED');
    request.caller = await this.sessions.authenticate(token);
    return true;
  }
}
