import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { map, type Observable } from 'rxjs';
import { takesKey } from '../../contract/row.js';
import { type Answer, REPLAYED_HEADER, SEQ_HEADER } from '../../contract/wire.js';
import { routeOf } from './contract.route.js';
import { errorResponse } from './error.response.js';

/** Turns the answer of a command into a response: its data or error into status and body, the rest into headers. */
@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!takesKey(routeOf(context))) return next.handle();
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(map((answer: Answer<unknown>) => bodyOf(answer, response)));
  }
}

/** The body of a command's response; sets its headers, and its status if it failed. */
export function bodyOf(answer: Answer<unknown>, response: Response): unknown {
  if (answer.replayed) response.setHeader(REPLAYED_HEADER, 'true');
  if (!answer.ok) return errorResponse(response, answer.error);
  if (answer.seq !== undefined) response.setHeader(SEQ_HEADER, String(answer.seq));
  return answer.data;
}
