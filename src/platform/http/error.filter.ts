import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Response } from 'express';
import { HubError } from '../../contract/errors.js';
import { ErrorMapper } from '../error.mapper.js';
import type { HubRequest } from './contract.route.js';
import { errorResponse } from './error.response.js';
import { unreadableBody } from './request.reader.js';

/** Answers every error of an HTTP request with the contract's error body. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly errors: ErrorMapper) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const { context } = host.switchToHttp().getRequest<HubRequest>();
    const body = this.errors.toErrorBody(fromHttpError(error), { id: context?.id });
    if (response.headersSent) return void response.destroy();
    response.json(errorResponse(response, body));
  }
}

/** Nest and its body parser throw HTTP errors for unknown routes and unreadable bodies. */
function fromHttpError(error: unknown): unknown {
  if (error instanceof HubError) return error;
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  if (status === 404) return new HubError('UNKNOWN_MESSAGE');
  if (status !== undefined && status >= 400 && status < 500) {
    return unreadableBody();
  }
  return error;
}

function statusOf(error: unknown): number | undefined {
  const { status } = (error ?? {}) as { status?: unknown };
  return typeof status === 'number' ? status : undefined;
}
