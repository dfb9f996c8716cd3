import type { z } from 'zod';
import { authRoutes } from '../contract/auth.js';
import { type RefusalCode, refusals, usesKeyUp } from '../contract/errors.js';
import * as field from '../contract/fields.js';
import { order, orderRoutes } from '../contract/orders.js';
import { roomRoutes } from '../contract/rooms.js';
import { type RouteRow, refusalsOf, takesKey } from '../contract/row.js';
import { serviceRoutes } from '../contract/service.js';
import { storeRoutes } from '../contract/stores.js';
import { walletRoutes } from '../contract/wallet.js';
import { CONTRACT_VERSION, FRAME_BYTES_MAX, KEY_HEADER, REPLAYED_HEADER, SEQ_HEADER } from '../contract/wire.js';
import { exampleOf } from './examples.js';
import { errorAmong, namedSchemas, type Schema, schemaOf } from './schemas.js';

const JSON_TYPE = 'application/json';

/** The chapters of the document, in the order in which a newcomer needs them. */
const chapters: { name: string; description: string; routes: Record<string, RouteRow> }[] = [
  { name: 'Accounts', description: 'Joining, sessions, leaving.', routes: authRoutes },
  { name: 'Wallet', description: 'A balance, and the ledger that explains it.', routes: walletRoutes },
  { name: 'Stores', description: 'Stores, books, stock and search.', routes: storeRoutes },
  {
    name: 'Orders',
    description: 'The commands and reads of Socket.IO, word for word, for callers without a socket.',
    routes: orderRoutes,
  },
  { name: 'Rooms', description: 'Numbered events, for callers without a socket.', routes: roomRoutes },
  { name: 'Service', description: 'Health, metrics and these documents.', routes: serviceRoutes },
];

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: Schema;
  example?: unknown;
}
interface Media {
  schema: Schema;
  example?: unknown;
}
export interface Response {
  description: string;
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, Media>;
}
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: never[];
  parameters: Parameter[];
  requestBody?: { required: true; content: Record<string, Media> };
  responses: Record<string, Response>;
  /** The codes that may refuse it, its own first. */
  'x-refusals': RefusalCode[];
}
export type OpenApi = ReturnType<typeof openApi>;

/** The OpenAPI document of everything that may be said over HTTP, made from the contract's tables. */
export function openApi() {
  const schemas = namedSchemas();
  const paths: Record<string, Record<string, Operation>> = {};
  for (const { name: chapter, routes } of chapters) {
    for (const [name, route] of Object.entries(routes)) {
      const path = route.path.replace(/:(\w+)/g, '{$1}');
      paths[path] ??= {};
      paths[path][route.method.toLowerCase()] = operationOf(name, chapter, route, schemas);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Order hub over HTTP',
      version: `${CONTRACT_VERSION}.0.0`,
      summary: 'Accounts, wallets, stores, and the commands of orders for callers without a socket.',
      description: CONVENTIONS,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Beside this document, so that it holds behind a path prefix too.
    servers: [{ url: '.', description: 'The hub that serves this document.' }],
    security: [{ bearer: [] }],
    tags: chapters.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas,
      headers: headers(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token of `POST /auth/login`.' },
      },
    },
    'x-refusals': Object.entries(refusals).map(([code, { status, retryable, when }]) => ({
      code,
      status,
      retryable,
      when,
    })),
  };
}

/** What holds everywhere, for whoever reads only this document. */
const CONVENTIONS = [
  `JSON in camelCase, at most ${FRAME_BYTES_MAX / 1024} KB a message. Ids are strings; a character is a Unicode code point.`,
  'Times are ISO 8601 in UTC with milliseconds. **Money is a whole number of minor units** (fen, cents).',
  'What is not listed is refused: a field or query parameter with a typing error never passes silently. An optional field is left out, not null.',
  `**A command with a \`key\` takes effect once**, however often it is sent: the first answer comes again, with \`${REPLAYED_HEADER}\`, also while the first is still running, and after a crash. Over HTTP the key may stand in the header \`${KEY_HEADER}\`.`,
  `Lists give \`items\` and \`next\`, ${field.PAGE_LIMIT_DEFAULT} at a time unless \`limit\` says otherwise.`,
  'An error is `{ code, message, retryable, details }`. `retryable` says that the same message, with the same key, can succeed later.',
].join('\n\n');

function operationOf(name: string, chapter: string, route: RouteRow, named: Record<string, Schema>): Operation {
  return {
    operationId: name,
    tags: [chapter],
    summary: route.says,
    ...(route.notes ? { description: route.notes } : {}),
    ...(route.open ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...bodyOf(route, named),
    responses: responsesOf(route, named),
    'x-refusals': refusalsOf(route),
  };
}

function parametersOf(route: RouteRow): Parameter[] {
  const { properties, required } = requestOf(route);
  const inPath = pathNames(route);
  const parameters = Object.entries(properties)
    .filter(([name]) => inPath.includes(name) || route.method === 'GET')
    .map(([name, schema]): Parameter => {
      const place = inPath.includes(name) ? 'path' : 'query';
      return parameter(name, place, place === 'path' || required.includes(name), schema);
    });
  if (takesKey(route)) parameters.push(parameter(KEY_HEADER, 'header', false, schemaOf(field.key)));
  return parameters;
}

function parameter(name: string, place: Parameter['in'], required: boolean, whole: Schema): Parameter {
  const { description, examples, ...schema } = whole;
  return {
    name,
    in: place,
    required,
    ...(description ? { description } : {}),
    schema,
    ...(examples ? { example: examples[0] } : {}),
  };
}

/** What the path does not name. Where it may name it again, word for word, it is not asked for. */
function bodyOf(route: RouteRow, named: Record<string, Schema>): Pick<Operation, 'requestBody'> {
  const { properties, required, schema } = requestOf(route);
  if (route.method === 'GET' || !schema) return {};
  const inPath = pathNames(route);
  const fields = Object.entries(properties).filter(([name]) => route.wordForWord || !inPath.includes(name));
  const body: Schema = {
    ...schema,
    properties: Object.fromEntries(fields),
    required: required.filter((name) => !inPath.includes(name)),
  };
  const shown = Object.fromEntries(fields.filter(([name]) => !inPath.includes(name)));
  const example = exampleOf({ ...schema, properties: shown }, named);
  return { requestBody: { required: true, content: { [JSON_TYPE]: { schema: body, example } } } };
}

function requestOf(route: RouteRow) {
  const schema = route.request && schemaOf(route.request);
  const properties = (schema?.properties ?? {}) as Record<string, Schema>;
  return { schema, properties, required: schema?.required ?? [] };
}

function pathNames({ path }: RouteRow): string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
}

function responsesOf(route: RouteRow, named: Record<string, Schema>): Record<string, Response> {
  const codes = refusalsOf(route);
  const responses: Record<string, Response> = { [route.status ?? 200]: successOf(route, named) };
  for (const status of new Set(codes.map((code) => refusals[code].status))) {
    const ofStatus = codes.filter((code) => refusals[code].status === status);
    responses[status] = refusedWith(ofStatus, route);
  }
  return responses;
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

function refusedWith(codes: RefusalCode[], route: RouteRow): Response {
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

function headers() {
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
