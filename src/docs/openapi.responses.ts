import type { z } from 'zod';
import { type ErrorCode, errorTypes, isStoredUnderKey } from '../contract/errors.js';
import { order } from '../contract/orders.js';
import { errorsOf, type RouteRow, takesKey } from '../contract/row.js';
import { seenOrders } from '../contract/staff.js';
import { REPLAYED_HEADER, SEQ_HEADER } from '../contract/wire.js';
import { exampleOf } from './examples.js';
import { oneOfErrors, type Schema, schemaOf } from './schemas.js';

export const JSON_TYPE = 'application/json';

export interface Media {
  schema: Schema;
  example?: unknown;
}
export interface Response {
  description: string;
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, Media>;
}
/** Responses by status. Those that many routes share are references. */
export type Responses = Record<string, Response | { $ref: string }>;

/** The errors that any route may return, by status: their responses are shared components. */
const commonErrors = byStatus(errorsOf({}));

export function responsesOf(route: RouteRow, schemas: Record<string, Schema>): Responses {
  const responses: Responses = { [route.status ?? 200]: successResponse(route, schemas) };
  for (const [status, codes] of byStatus(errorsOf(route))) {
    const name = nameOf(codes);
    const isCommon = commonErrors.some(([, others]) => nameOf(others) === name);
    const isShared = isCommon && !(route.notReady && codes.includes('UNAVAILABLE'));
    responses[status] = isShared ? { $ref: `#/components/responses/${name}` } : errorResponse(codes, route);
  }
  return responses;
}

/** The shared responses that `responsesOf` refers to. */
export function commonResponses(): Record<string, Response> {
  return Object.fromEntries(commonErrors.map(([, codes]) => [nameOf(codes), errorResponse(codes)]));
}

function nameOf(codes: ErrorCode[]): string {
  return codes.join('.');
}

function byStatus(codes: ErrorCode[]): [status: number, codes: ErrorCode[]][] {
  const statuses = new Set(codes.map((code) => errorTypes[code].status));
  return [...statuses].map((status) => [status, codes.filter((code) => errorTypes[code].status === status)]);
}

function successResponse(route: RouteRow, schemas: Record<string, Schema>): Response {
  if (!route.data) return { description: 'Success.' };
  const schema = schemaOf(route.data);
  const type = route.mediaType ?? JSON_TYPE;
  const headers = [...(hasSeq(route.data) ? [SEQ_HEADER] : []), ...(takesKey(route) ? [REPLAYED_HEADER] : [])];
  return {
    description: 'Success.',
    ...(headers.length > 0 ? { headers: headerReferences(headers) } : {}),
    content: { [type]: type === JSON_TYPE ? { schema, example: exampleOf(schema, schemas) } : { schema } },
  };
}

/** Whether the answer carries an event number: every change of an order is an event. */
function hasSeq(data: z.ZodType): boolean {
  return data === order || data === seenOrders;
}

function errorResponse(codes: ErrorCode[], route: Pick<RouteRow, 'request' | 'notReady'> = {}): Response {
  const error: Schema = {
    type: 'object',
    properties: { error: schemaOf(oneOfErrors(codes)) },
    required: ['error'],
    additionalProperties: false,
  };
  const notReady = codes.includes('UNAVAILABLE') ? route.notReady : undefined;
  const headers = [
    ...(codes.includes('RATE_LIMITED') ? ['Retry-After'] : []),
    ...(takesKey(route) && codes.some(isStoredUnderKey) ? [REPLAYED_HEADER] : []),
  ];
  return {
    description: codes.map((code) => `\`${code}\` ${errorTypes[code].when}`).join(' '),
    ...(headers.length > 0 ? { headers: headerReferences(headers) } : {}),
    content: { [JSON_TYPE]: { schema: notReady ? { anyOf: [schemaOf(notReady), error] } : error } },
  };
}

function headerReferences(names: string[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

export function responseHeaders() {
  return {
    [SEQ_HEADER]: {
      description: 'The number of the resulting event in the caller’s own room.',
      schema: { type: 'integer', minimum: 1 },
    },
    [REPLAYED_HEADER]: {
      description: 'This is the stored first answer to the key.',
      schema: { type: 'string', const: 'true' },
    },
    'Retry-After': { description: 'Seconds to wait before a retry.', schema: { type: 'integer', minimum: 0 } },
  };
}
