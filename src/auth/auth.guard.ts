import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { type HubRequest, routeOf } from '../platform/http/contract.route.js';
import { RequestAdmission } from '../platform/http/request.admission.js';
import { BearerAuthenticator } from './bearer.authenticator.js';

/** Admits a request to a public route, or with a bearer token that has the route's right, within the rate limits. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly authenticator: BearerAuthenticator,
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
