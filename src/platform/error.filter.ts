import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Response } from 'express';
import { Refusal } from '../contract/errors.js';
import { Faults } from './faults.js';
import { type HubRequest, refuse } from './http.js';

/** Everything that is thrown on the way of an HTTP request is answered here, in the contract's one shape. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly faults: Faults) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const { message } = host.switchToHttp().getRequest<HubRequest>();
    const body = this.faults.bodyOf(inContract(error), { id: message?.id });
    if (response.headersSent) return void response.destroy();
    response.json(refuse(response, body));
  }
}

/** Nest and its body parser refuse with HTTP errors of their own: no such route, or a body that cannot be read. */
function inContract(error: unknown): unknown {
  if (error instanceof Refusal) return error;
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  if (status === 404) return new Refusal('UNKNOWN_MESSAGE');
  if (status !== undefined && status >= 400 && status < 500) {
    return Refusal.badMessage([{ path: '', problem: 'cannot be read: it must be JSON of at most 64 KB' }]);
  }
  return error;
}

function statusOf(error: unknown): number | undefined {
  const { status } = (error ?? {}) as { status?: unknown };
  return typeof status === 'number' ? status : undefined;
}
