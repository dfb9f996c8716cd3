import type { ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { HubError } from '../../contract/errors.js';
import type { RouteRow } from '../../contract/row.js';
import { type ClientInfo, requireRight } from '../caller.js';
import { ClientAddress } from '../client.address.js';
import { RateLimiter } from '../limits/rate.limiter.js';
import { publicReadKeyOf, readKeyOf } from '../limits/read.limiter.js';
import { withTimeout } from '../limits/timeouts.js';
import type { Authenticator } from '../sockets/handshake.js';
import { SocketRegistry } from '../sockets/socket.registry.js';
import type { HubRequest } from './contract.route.js';

/** Admits a request to a public route, or with a bearer token that has the route's right, within the rate limits. */
@Injectable()
export class RequestAdmission {
  constructor(
    private readonly sockets: SocketRegistry,
    private readonly limits: RateLimiter,
    private readonly addresses: ClientAddress,
    @Inject(CONFIG) private readonly config: Pick<Config, 'funds'>,
  ) {}

  /** Sets the request's client and caller, or throws. */
  async admit(authenticator: Authenticator, route: RouteRow, request: HubRequest, response: ServerResponse) {
    if (route.isProbe) return;
    if (this.sockets.draining) throw new HubError('UNAVAILABLE');
    const address = this.addresses.of(request);
    const client: ClientInfo = {
      address,
      readKey: publicReadKeyOf(address),
      isConnected: () => !response.destroyed,
      context: request.context,
    };
    request.client = client;
    this.limits.unauthenticatedRequest(address);
    if (route.isPublic) return;
    const principal = await withTimeout(authenticator.authenticate(tokenOf(request)));
    this.limits.refundUnauthenticated(address);
    // The shop's backend speaks for all of its users.
    if (principal.kind !== 'operator') this.limits.request(principal.userId);
    client.readKey = readKeyOf(principal.userId);
    const { rightWithProvider } = route;
    const isOther = rightWithProvider !== undefined && this.config.funds === 'provider';
    requireRight(principal, isOther ? { right: rightWithProvider } : route);
    request.caller = { ...principal, ...client };
  }
}

function tokenOf({ headers }: HubRequest): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) throw new HubError('UNAUTHENTICATED');
  return token;
}
