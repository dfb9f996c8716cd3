import type { ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { HubError } from '../../contract/errors.js';
import { userId } from '../../contract/fields.js';
import type { RouteRow } from '../../contract/row.js';
import { ACTING_FOR_HEADER } from '../../contract/staff.js';
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
    const address = this.addresses.of(request);
    const client: ClientInfo = {
      address,
      readKey: publicReadKeyOf(address),
      isConnected: () => !response.destroyed,
      context: request.context,
    };
    // Node has something else under this name.
    request.client = client;
    if (route.isProbe) return;
    if (this.sockets.draining) throw new HubError('UNAVAILABLE');
    this.limits.unauthenticatedRequest(address);
    if (route.isPublic) return;
    const person = await withTimeout(authenticator.authenticate(tokenOf(request)));
    this.limits.refundUnauthenticated(address);
    // The shop's backend speaks for all of its users.
    if (person.kind !== 'operator') this.limits.request(person.userId);
    client.readKey = readKeyOf(person.userId);
    const ownerId = actingFor(request);
    const principal = ownerId === undefined ? person : await withTimeout(authenticator.actFor(person, ownerId));
    const { rightWithProvider } = route;
    const isOther = rightWithProvider !== undefined && this.config.funds === 'provider';
    requireRight(principal, isOther ? { right: rightWithProvider } : route);
    request.caller = { ...principal, ...client };
  }
}

/** For whom the caller acts. A header has no characters beyond ASCII: those of an id are percent-encoded, as in a path. */
function actingFor({ headers }: HubRequest): string | undefined {
  const header = headers[ACTING_FOR_HEADER.toLowerCase()];
  if (typeof header !== 'string') return undefined;
  const { data } = userId.safeParse(decode(header));
  if (data === undefined) throw HubError.badMessage([{ path: ACTING_FOR_HEADER, problem: 'must be a user’s id' }]);
  return data;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function tokenOf({ headers }: HubRequest): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) throw new HubError('UNAUTHENTICATED');
  return token;
}
