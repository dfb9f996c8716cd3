import { Injectable } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import type { HubRequest } from '../http/contract.route.js';
import { Logger } from './logger.js';
import { Metrics } from './metrics.js';
import { type BatchRun, type RequestContext, requestId } from './request.context.js';
import { type SecurityEvent, SecurityLog } from './security.log.js';
import { Tracing } from './tracing.js';

export const REQUEST_ID_HEADER = 'X-Request-Id';
/** For a message or route that the contract does not have: the sender's own name for it is never logged. */
export const UNKNOWN_NAME = 'unlisted';

/** Message ids in a batch's log line. The others are found by the batch number in their own lines. */
const LOGGED_IDS_MAX = 32;

interface Origin {
  user?: string | undefined;
  address?: string | undefined;
}

/** Records every message and HTTP request in log, metrics, traces and security events. */
@Injectable()
export class RequestObserver {
  constructor(
    private readonly logger: Logger,
    private readonly metrics: Metrics,
    private readonly security: SecurityLog,
    private readonly tracing: Tracing,
  ) {}

  begin(
    way: RequestContext['way'],
    name: string,
    { id, traceparent }: { id?: string; traceparent?: string } = {},
  ): RequestContext {
    const context: RequestContext = { id: requestId(id), way, name, since: performance.now() };
    context.span = this.tracing.begin(context, traceparent);
    return context;
  }

  end(context: RequestContext, code: string, { user, address }: Origin): void {
    const { id, way, name, since, batchNo: batch } = context;
    const ms = performance.now() - since;
    this.metrics.message(way, name, code, ms);
    if (this.logger.isVerbose)
      this.logger.debug({ id, way, message: name, code, ms: Math.round(ms), batch, user }, 'message');
    this.tracing.end(context, code);
    const event = securityEventOf(name, code);
    if (event) this.security.record(event, { user, address, code, id });
  }

  /** Called before the batch's messages are answered, whose log lines then name their batch. */
  batch(run: BatchRun): void {
    const { batchNo, commands, messages, from, to, phases } = run;
    this.metrics.batch(commands, to - from);
    for (const phase of phases) this.metrics.phase(phase.name, phase.to - phase.from);
    for (const message of messages) message.batchNo = batchNo;
    if (this.logger.isVerbose) {
      const ids = messages.slice(0, LOGGED_IDS_MAX).map(({ id }) => id);
      this.logger.debug({ batch: batchNo, commands, ms: Math.round(to - from), ids }, 'batch');
    }
    this.tracing.batch(run);
  }

  /** Express middleware, installed before every other handler. */
  get http(): RequestHandler {
    return (request: HubRequest, response, next) => {
      const id = textOf(request, REQUEST_ID_HEADER.toLowerCase());
      const traceparent = textOf(request, 'traceparent');
      const context = this.begin('http', UNKNOWN_NAME, {
        ...(id === undefined ? {} : { id }),
        ...(traceparent === undefined ? {} : { traceparent }),
      });
      request.context = context;
      response.setHeader(REQUEST_ID_HEADER, context.id);
      response.once('close', () => {
        context.name = routeNameOf(request);
        const code = codeOf(response);
        this.end(context, code, { user: userOf(request, code), address: request.client?.address });
      });
      next();
    };
  }
}

/** The security event of an error, if it is one. */
function securityEventOf(name: string, code: string): SecurityEvent | undefined {
  if (code === 'FORBIDDEN') return 'forbidden';
  if (code === 'RATE_LIMITED') return 'rate-limited';
  if (code !== 'UNAUTHENTICATED') return undefined;
  if (name === 'POST /auth/login') return 'login-failed';
  return name === 'POST /auth/password' || name === 'POST /auth/unregister' ? 'password-refused' : 'token-refused';
}

function textOf({ headers }: HubRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** The route as in the contract, without the values of its parameters. */
function routeNameOf({ method, route }: HubRequest): string {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? `${method} ${path}` : UNKNOWN_NAME;
}

function codeOf(response: Response): string {
  if (!response.writableFinished) return 'CUT';
  const { code } = response.locals as { code?: string };
  return code ?? (response.statusCode < 400 ? 'OK' : 'UNAVAILABLE');
}

/** The caller, or the claimed user of a failed login: with that code the user id has passed validation. */
function userOf(request: HubRequest, code: string): string | undefined {
  if (request.caller || code !== 'UNAUTHENTICATED') return request.caller?.userId;
  const { userId } = (request.body ?? {}) as { userId?: unknown };
  return typeof userId === 'string' ? userId : undefined;
}
