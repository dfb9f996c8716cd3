import { authRoutes } from '../contract/auth.js';
import { type RefusalCode, refusalCodes, refusals } from '../contract/errors.js';
import * as field from '../contract/fields.js';
import { orderRoutes } from '../contract/orders.js';
import { roomRoutes } from '../contract/rooms.js';
import { type RouteRow, refusalsOf, takesKey } from '../contract/row.js';
import { serviceRoutes } from '../contract/service.js';
import { storeRoutes } from '../contract/stores.js';
import { walletRoutes } from '../contract/wallet.js';
import { CONTRACT_VERSION, FRAME_BYTES_MAX, KEY_HEADER, REPLAYED_HEADER } from '../contract/wire.js';
import { exampleOf } from './examples.js';
import {
  everydayResponses,
  headers,
  JSON_TYPE,
  type Media,
  type Response,
  type Responses,
  responsesOf,
} from './openapi.responses.js';
import { namedSchemas, type Schema, schemaOf } from './schemas.js';

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
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: never[];
  parameters: Parameter[];
  requestBody?: { required: true; content: Record<string, Media> };
  responses: Responses;
  /** The codes that may refuse it, its own first. */
  'x-refusals': RefusalCode[];
}
export interface OpenApi {
  openapi: string;
  info: { title: string; version: string; summary: string; description: string; license: object };
  servers: { url: string; description: string }[];
  security: object[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Response>;
    headers: object;
    securitySchemes: object;
  };
  /** Every refusal, as the contract lists them. */
  'x-refusals': { code: RefusalCode; status: number; retryable: boolean; when: string }[];
}

/** The OpenAPI document of everything that may be said over HTTP, made from the contract's tables. */
export function openApi(): OpenApi {
  const schemas = namedSchemas();
  const paths: OpenApi['paths'] = {};
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
      responses: everydayResponses(),
      headers: headers(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token of `POST /auth/login`.' },
      },
    },
    'x-refusals': refusalCodes.map((code) => {
      const { status, retryable, when } = refusals[code];
      return { code, status, retryable, when };
    }),
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
