import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { takesKey } from '../contract/row.js';
import { type HubRequest, routeOf } from './http.js';
import { Limits } from './limits.js';

/** Lets no more HTTP requests be worked on at once than the hub can do with. */
@Injectable()
export class Bounded implements NestInterceptor {
  constructor(private readonly limits: Limits) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const route = routeOf(context);
    // Commands wait in their queue, and passwords for their turn to be hashed. Those who watch over the hub never wait.
    if (route.probe || takesKey(route) || route.path.startsWith('/auth/')) return next.handle();
    const { sender } = context.switchToHttp().getRequest<HubRequest>();
    return from(this.limits.work.pass(() => lastValueFrom(next.handle()), sender?.isThere));
  }
}
