import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, throwError, timeout } from 'rxjs';
import { HubError } from '../../contract/errors.js';
import { routeOf } from '../http/contract.route.js';

/** Below the five seconds after which clients give up. */
export const ANSWER_TIMEOUT_MS = 4_500;

/**
 * Rejects with `UNAVAILABLE` when the work takes longer. The work itself continues and may still take effect: a retry with the
 * same key returns its answer, and its events are published as usual.
 */
export function withTimeout<T>(work: Promise<T>, ms = ANSWER_TIMEOUT_MS): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new HubError('UNAVAILABLE')), ms);
    const inTime =
      <Value>(settle: (value: Value) => void) =>
      (value: Value) => {
        clearTimeout(timer);
        settle(value);
      };
    work.then(inTime(resolve), inTime(reject));
  });
}

/** The same timeout for HTTP requests. */
@Injectable()
export class TimeoutInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (routeOf(context).mayTakeLong) return next.handle();
    const onTimeout = () => throwError(() => new HubError('UNAVAILABLE'));
    return next.handle().pipe(timeout({ first: ANSWER_TIMEOUT_MS, with: onTimeout }));
  }
}
