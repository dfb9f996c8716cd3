import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { from, lastValueFrom, map, type Observable } from 'rxjs';
import { takesKey } from '../../contract/row.js';
import { ReadLimiter } from '../limits/read.limiter.js';
import { cachedJson } from '../sockets/json.cache.js';
import { clientOf, type HubRequest, routeOf } from './contract.route.js';

/** Bounds concurrent HTTP requests, and the work of reads. */
@Injectable()
export class ConcurrencyInterceptor implements NestInterceptor {
  constructor(private readonly reads: ReadLimiter) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const route = routeOf(context);
    // Commands have their own queue, password hashing its own limit, and probes must not wait.
    if (route.isProbe || takesKey(route) || route.path.startsWith('/auth/')) return next.handle();
    const http = context.switchToHttp();
    const client = clientOf(http.getRequest<HubRequest>());
    const work = () => lastValueFrom(next.handle());
    if (route.method !== 'GET') return from(this.reads.write(client, work));
    const response = http.getResponse<Response>();
    return from(this.reads.read(client, work)).pipe(map((data) => textOf(data, response)));
  }
}

/** The JSON that exists already: Express would serialize the data again. */
function textOf(data: unknown, response: Response): unknown {
  const text = cachedJson(data);
  if (text === undefined) return data;
  response.type('application/json');
  return text;
}
