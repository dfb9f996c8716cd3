import type { z } from 'zod';
import { type RefusalCode, refusals, usesKeyUp } from '../contract/errors.js';
import { order } from '../contract/orders.js';
import { type RouteRow, refusalsOf, takesKey } from '../contract/row.js';
import { REPLAYED_HEADER, SEQ_HEADER } from '../contract/wire.js';
import { exampleOf } from './examples.js';
import { errorAmong, type Schema, schemaOf } from './schemas.js';

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
/** By status. What many routes answer alike is referred to. */
export type Responses = Record<string, Response | { $ref: string }>;

/** What may refuse any route is described once, status by status. */
const everyday = byStatus(refusalsOf({}));

export function responsesOf(route: RouteRow, named: Record<string, Schema>): Responses {
  const responses: Responses = { [route.status ?? 200]: successOf(route, named) };
  for (const [status, codes] of byStatus(refusalsOf(route))) {
    const name = nameOf(codes);
    const isEveryday = everyday.some(([, others]) => nameOf(others) === name);
    const described = isEveryday && !(route.unready && codes.includes('UNAVAILABLE'));
    responses[status] = described ? { $ref: `#/components/responses/${name}` } : refusedWith(codes, route);
  }
  return responses;
}

/** Those that `responsesOf` refers to. */
export function everydayResponses(): Record<string, Response> {
  return Object.fromEntries(everyday.map(([, codes]) => [nameOf(codes), refusedWith(codes)]));
}

function nameOf(codes: RefusalCode[]): string {
  return codes.join('.');
}

function byStatus(codes: RefusalCode[]): [status: number, codes: RefusalCode[]][] {
  const statuses = new Set(codes.map((code) => refusals[code].status));
  return [...statuses].map((status) => [status, codes.filter((code) => refusals[code].status === status)]);
}

function successOf(route: RouteRow, named: Record<string, Schema>): Response {
  if (!route.data) return { description: 'Done.' };
  const schema = schemaOf(route.data);
  const type = route.mediaType ?? JSON_TYPE;
  const told = [...(tellsSeq(route.data) ? [SEQ_HEADER] : []), ...(takesKey(route) ? [REPLAYED_HEADER] : [])];
  return {
    description: 'Done.',
    ...(told.length > 0 ? { headers: headersNamed(told) } : {}),
    content: { [type]: type === JSON_TYPE ? { schema, example: exampleOf(schema, named) } : { schema } },
  };
}

/** Changes of orders are events, and events have numbers. */
function tellsSeq(data: z.ZodType): boolean {
  return data === order;
}

function refusedWith(codes: RefusalCode[], route: Pick<RouteRow, 'request' | 'unready'> = {}): Response {
  const error: Schema = {
    type: 'object',
    properties: { error: schemaOf(errorAmong(codes)) },
    required: ['error'],
    additionalProperties: false,
  };
  const unready = codes.includes('UNAVAILABLE') ? route.unready : undefined;
  const told = [
    ...(codes.includes('RATE_LIMITED') ? ['Retry-After'] : []),
    ...(takesKey(route) && codes.some(usesKeyUp) ? [REPLAYED_HEADER] : []),
  ];
  return {
    description: codes.map((code) => `\`${code}\` ${refusals[code].when}`).join(' '),
    ...(told.length > 0 ? { headers: headersNamed(told) } : {}),
    content: { [JSON_TYPE]: { schema: unready ? { anyOf: [schemaOf(unready), error] } : error } },
  };
}

function headersNamed(names: string[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** The headers of answers. */
export function headers() {
  return {
    [SEQ_HEADER]: {
      description: 'The number of the caller’s own event about it, by role.',
      schema: { type: 'integer', minimum: 1 },
    },
    [REPLAYED_HEADER]: {
      description: 'This is the first answer to the key, again.',
      schema: { type: 'string', const: 'true' },
    },
    'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 0 } },
  };
}
