import { Injectable } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import type { HubRequest } from './http.js';
import { Logger } from './logger.js';
import { type BatchRun, type Message, messageId } from './message.js';
import { Metrics } from './metrics.js';
import { type SecurityEvent, SecurityLog } from './security.log.js';
import { Tracing } from './tracing.js';

export const REQUEST_ID_HEADER = 'X-Request-Id';
/** What is asked for by no name of the contract. Its own name is the sender's choice, so it stands nowhere. */
export const UNLISTED = 'unlisted';

/** So many ids the line of a batch holds. The lines of the messages name their batch, so the rest are found from there. */
const IDS_MAX = 32;

interface Sender {
  user?: string | undefined;
  address?: string | undefined;
}

/** Where each message and request is written down, as it comes and as it is answered: log, metrics, traces, security events. */
@Injectable()
export class Journal {
  constructor(
    private readonly logger: Logger,
    private readonly metrics: Metrics,
    private readonly security: SecurityLog,
    private readonly tracing: Tracing,
  ) {}

  begin(way: Message['way'], name: string, { id, traceparent }: { id?: string; traceparent?: string } = {}): Message {
    const message: Message = { id: messageId(id), way, name, since: performance.now() };
    message.span = this.tracing.begin(message, traceparent);
    return message;
  }

  end(message: Message, code: string, { user, address }: Sender): void {
    const { id, way, name, since, batchNo: batch } = message;
    const ms = performance.now() - since;
    this.metrics.message(way, name, code, ms);
    if (this.logger.isVerbose)
      this.logger.debug({ id, way, message: name, code, ms: Math.round(ms), batch, user }, 'message');
    this.tracing.end(message, code);
    const event = eventOf(name, code);
    if (event) this.security.tell(event, { user, address, code, id });
  }

  /** Told before the messages of the batch are answered. */
  batch(run: BatchRun): void {
    const { batchNo, commands, messages, from, to, phases } = run;
    this.metrics.batch(commands, to - from);
    for (const phase of phases) this.metrics.phase(phase.name, phase.to - phase.from);
    for (const message of messages) message.batchNo = batchNo;
    if (this.logger.isVerbose) {
      const ids = messages.slice(0, IDS_MAX).map(({ id }) => id);
      this.logger.debug({ batch: batchNo, commands, ms: Math.round(to - from), ids }, 'batch');
    }
    this.tracing.batch(run);
  }

  /** Goes before everything that answers over HTTP. */
  get http(): RequestHandler {
    return (request: HubRequest, response, next) => {
      const id = request.header(REQUEST_ID_HEADER);
      const traceparent = request.header('traceparent');
      const message = this.begin('http', UNLISTED, {
        ...(id === undefined ? {} : { id }),
        ...(traceparent === undefined ? {} : { traceparent }),
      });
      request.message = message;
      response.setHeader(REQUEST_ID_HEADER, message.id);
      response.once('close', () => {
        message.name = nameOf(request);
        const code = codeOf(response);
        this.end(message, code, { user: userOf(request, code), address: request.ip });
      });
      next();
    };
  }
}

/** The refusals that somebody should know of who watches over the hub. */
function eventOf(name: string, code: string): SecurityEvent | undefined {
  if (code === 'FORBIDDEN') return 'forbidden';
  if (code === 'RATE_LIMITED') return 'rate-limited';
  if (code !== 'UNAUTHENTICATED') return undefined;
  if (name === 'POST /auth/login') return 'login-failed';
  return name === 'POST /auth/password' || name === 'POST /auth/unregister' ? 'password-refused' : 'token-refused';
}

/** The route as the contract writes it, so with no value of a parameter. */
function nameOf({ method, route }: HubRequest): string {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? `${method} ${path}` : UNLISTED;
}

function codeOf(response: Response): string {
  if (!response.writableFinished) return 'CUT';
  const { code } = response.locals as { code?: string };
  return code ?? (response.statusCode < 400 ? 'OK' : 'UNAVAILABLE');
}

/** Who asked; of a login that failed, who the caller claims to be: its code says that the contract has parsed the name. */
function userOf(request: HubRequest, code: string): string | undefined {
  if (request.caller || code !== 'UNAUTHENTICATED') return request.caller?.userId;
  const { userId } = (request.body ?? {}) as { userId?: unknown };
  return typeof userId === 'string' ? userId : undefined;
}
