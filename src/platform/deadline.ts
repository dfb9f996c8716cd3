import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, throwError, timeout } from 'rxjs';
import { Refusal } from '../contract/errors.js';

/** No message waits longer for its answer, whatever the database does: five seconds, less the way there and back. */
export const ANSWER_WITHIN_MS = 4_500;

/**
 * What takes longer is answered `UNAVAILABLE`. The work itself goes on, and may still take effect: the same key tells, and
 * what it changes is pushed as ever.
 */
export function withinDeadline<T>(work: Promise<T>, ms = ANSWER_WITHIN_MS): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Refusal('UNAVAILABLE')), ms);
    const inTime =
      <Value>(settle: (value: Value) => void) =>
      (value: Value) => {
        clearTimeout(timer);
        settle(value);
      };
    work.then(inTime(resolve), inTime(reject));
  });
}

/** The same for what is asked over HTTP. */
@Injectable()
export class Deadline implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const late = () => throwError(() => new Refusal('UNAVAILABLE'));
    return next.handle().pipe(timeout({ first: ANSWER_WITHIN_MS, with: late }));
  }
}
