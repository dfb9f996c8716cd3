import { setTimeout as sleep } from 'node:timers/promises';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  type Observable,
  of,
  throwError,
} from 'rxjs';
import { HubError } from '../contract/errors.js';
import type { RouteRow } from '../contract/row.js';
import type { FaultName } from '../contract/sandbox.js';
import { isMessageName, type MessageName } from '../contract/wire.js';
import { type HubRequest, routeOf } from '../platform/http/contract.route.js';
import { MessageFaults } from './message.faults.js';
import { Transcripts } from './transcripts.js';

/** What the sandbox does to HTTP requests: the same as to messages, as far as there is a connection to do it to. */
@Injectable()
export class SandboxRequests implements NestInterceptor {
  constructor(
    private readonly faults: MessageFaults,
    private readonly transcripts: Transcripts,
  ) {}

  /** Express middleware that writes down the requests of users, and their answers. */
  get record(): RequestHandler {
    return (request: HubRequest, response, next) => {
      const place = this.transcripts.begin();
      const send = response.send.bind(response);
      let body: unknown;
      response.send = (sent: unknown) => {
        body = sent;
        return send(sent);
      };
      response.once('close', () => {
        const { caller, method, params, query } = request;
        if (!caller) return;
        const name = `${method} ${(request.route as { path?: string } | undefined)?.path ?? ''}`;
        const said = { way: 'http', direction: 'said', name } as const;
        const data = { ...params, ...query, ...(request.body as object | undefined) };
        const { fault } = response.locals as { fault?: FaultName };
        const entry = this.transcripts.write(caller.userId, said, data, place);
        if (!isCut(fault) && response.writableFinished)
          entry.answer({ status: response.statusCode, body: jsonOf(body) });
        if (fault) entry.fault(fault);
      });
      next();
    };
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<HubRequest>();
    const response = context.switchToHttp().getResponse<Response>();
    const name = messageOf(routeOf(context));
    const fault = request.caller && name && this.faults.take(request.caller.userId, name);
    if (!fault) return next.handle();
    response.locals.fault = fault.do;
    /** Over HTTP an answer that is lost is a connection that ends. */
    const cut = defer(() => {
      request.socket.destroy();
      return throwError(() => new HubError('UNAVAILABLE'));
    });
    const again = next.handle().pipe(
      ignoreElements(),
      catchError(() => EMPTY),
    );
    switch (fault.do) {
      case 'cut-before':
        return cut;
      case 'drop-ack':
      case 'cut-after-commit':
        return concat(again, cut);
      case 'twice':
        return next.handle().pipe(concatMap((answer) => concat(again, of(answer))));
      case 'delay':
        return from(sleep(fault.ms, undefined, { ref: false })).pipe(concatMap(() => next.handle()));
    }
  }
}

function isCut(fault: FaultName | undefined): boolean {
  return fault !== undefined && fault !== 'twice' && fault !== 'delay';
}

/** The message that the route is for, for callers without a socket. */
function messageOf({ method, path }: RouteRow): MessageName | undefined {
  const [, command = method === 'POST' ? 'place' : ''] = /^\/orders\/:orderId\/(\w+)$/.exec(path) ?? [];
  if (method === 'POST' && (path === '/orders' || path.startsWith('/orders/:orderId/'))) {
    const name = `order:${command}`;
    return isMessageName(name) ? name : undefined;
  }
  const reads: Record<string, MessageName> = {
    '/orders': 'order:list',
    '/orders/:orderId': 'order:get',
    '/rooms/:role/events': 'room:read',
  };
  return method === 'GET' ? reads[path] : undefined;
}

function jsonOf(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
