import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { HubError } from '../contract/errors.js';
import type { HubRequest } from '../platform/http/contract.route.js';
import { isLoopback } from '../platform/http/loopback.js';
import { isAllowedOrigin } from '../platform/sockets/origins.js';

/**
 * The sandbox's routes are open to every program of this machine, but not to pages of other sites in its browser, which could
 * empty the hub: neither by their origin, nor by a name of theirs that leads here.
 */
@Injectable()
export class SandboxGuard implements CanActivate {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<HubRequest>();
    const url = `http://${request.headers.host ?? ''}`;
    const host = URL.canParse(url) ? new URL(url).hostname : '';
    if (!isLoopback(host) || !isAllowedOrigin(request, this.config)) {
      throw new HubError('FORBIDDEN', 'Only this machine may use the sandbox.');
    }
    return true;
  }
}
