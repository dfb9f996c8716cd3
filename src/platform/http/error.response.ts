import type { Response } from 'express';
import { type ErrorBody, errorTypes } from '../../contract/errors.js';

/** Sets status and headers for an error, and returns the body to send. */
export function errorResponse(response: Response, error: ErrorBody): { error: ErrorBody } {
  const { retryAfterMs } = (error.details ?? {}) as { retryAfterMs?: number };
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(retryAfterMs / 1_000));
  response.statusCode = errorTypes[error.code].status;
  response.locals.code = error.code;
  return { error };
}
