import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { AUTHENTICATOR, type Authenticator } from '../sockets/handshake.js';
import { type HubRequest, routeOf } from './contract.route.js';
import { RequestAdmission } from './request.admission.js';

/** Admits a request to a public route, or with a bearer token that has the route's right, within the rate limits. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    private readonly admission: RequestAdmission,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const http = context.switchToHttp();
    const [request, response] = [http.getRequest<HubRequest>(), http.getResponse<Response>()];
    await this.admission.admit(this.authenticator, routeOf(context), request, response);
    return true;
  }
}
