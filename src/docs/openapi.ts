import { acceptRoutes } from '../contract/acceptance.js';
import { amendRoutes } from '../contract/amendments.js';
import { authRoutes } from '../contract/auth.js';
import { type ErrorCode, errorCodes, errorTypes } from '../contract/errors.js';
import * as field from '../contract/fields.js';
import { findingRoutes } from '../contract/finding.js';
import { orderRoutes } from '../contract/orders.js';
import { paymentRoutes } from '../contract/payments.js';
import { personalRoutes } from '../contract/personal.js';
import { pushRoutes } from '../contract/push.js';
import { roomRoutes } from '../contract/rooms.js';
import { errorsOf, type RouteRow, takesKey } from '../contract/row.js';
import { sandboxRoutes } from '../contract/sandbox.js';
import { serviceRoutes } from '../contract/service.js';
import { ACTING_FOR_HEADER, staffRoutes, workRoutes } from '../contract/staff.js';
import { storePolicyRoutes } from '../contract/store.policy.js';
import { storeRoutes } from '../contract/stores.js';
import { walletRoutes } from '../contract/wallet.js';
import { webhookRoutes } from '../contract/webhooks.js';
import { CONTRACT_VERSION, FRAME_BYTES_MAX, KEY_HEADER, REPLAYED_HEADER } from '../contract/wire.js';
import { exampleOf } from './examples.js';
import {
  commonResponses,
  JSON_TYPE,
  type Media,
  type Response,
  type Responses,
  responseHeaders,
  responsesOf,
} from './openapi.responses.js';
import { namedSchemas, type Schema, schemaOf } from './schemas.js';

const { walletExport, ...orderFindingRoutes } = findingRoutes;

interface Tag {
  name: string;
  description: string;
  routes: Record<string, RouteRow>;
}

/** The document's tags, in the order in which a new user needs them. */
const tags: Tag[] = [
  { name: 'Accounts', description: 'Registration, sessions and unregistration.', routes: authRoutes },
  { name: 'Wallet', description: 'The balance and its ledger.', routes: { ...walletRoutes, walletExport } },
  {
    name: 'Payments',
    description: 'Top-ups through the payment provider, and the provider’s events.',
    routes: paymentRoutes,
  },
  {
    name: 'Stores',
    description: 'Stores, books, stock and search.',
    routes: { ...storeRoutes, ...storePolicyRoutes },
  },
  {
    name: 'Orders',
    description: 'The same commands and reads as over Socket.IO, for clients without a socket.',
    routes: { ...orderFindingRoutes, ...orderRoutes, ...acceptRoutes, ...amendRoutes, ...workRoutes },
  },
  {
    name: 'Staff',
    description: 'Who may act for a seller, and for whom the caller may.',
    routes: staffRoutes,
  },
  { name: 'Rooms', description: 'The numbered events of a room, for clients without a socket.', routes: roomRoutes },
  { name: 'Webhooks', description: 'The events of a room, sent to a receiver over HTTP.', routes: webhookRoutes },
  { name: 'Push', description: 'Push messages to browsers that have no page of the hub open.', routes: pushRoutes },
  {
    name: 'Personal data',
    description: 'What the hub keeps of a user: to take along, and to erase.',
    routes: personalRoutes,
  },
  { name: 'Service', description: 'Health, metrics and the API documents.', routes: serviceRoutes },
];
const sandboxTag: Tag = {
  name: 'Sandbox',
  description: 'For the tests of clients: time, faults, an empty hub. On hubs with `SANDBOX=on` only.',
  routes: sandboxRoutes,
};

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
  /** The error codes that it may return, those specific to it first. */
  'x-refusals': ErrorCode[];
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
  /** Every error of the contract. */
  'x-refusals': { code: ErrorCode; status: number; retryable: boolean; when: string }[];
}

/** The OpenAPI document of the HTTP API, generated from the contract's tables. Only sandboxes have the routes of one. */
export function openApi({ sandbox = false }: { sandbox?: boolean } = {}): OpenApi {
  const chapters = sandbox ? [...tags, sandboxTag] : tags;
  const schemas = namedSchemas();
  const paths: OpenApi['paths'] = {};
  for (const { name: tag, routes } of chapters) {
    for (const [name, route] of Object.entries(routes)) {
      const path = route.path.replace(/:(\w+)/g, '{$1}');
      paths[path] ??= {};
      paths[path][route.method.toLowerCase()] = operationOf(name, tag, route, schemas);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Order hub HTTP API',
      version: `${CONTRACT_VERSION}.0.0`,
      summary: 'Accounts, wallets and stores, and orders for clients without a socket.',
      description: CONVENTIONS,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to this document, so that it also works behind a path prefix.
    servers: [{ url: '.', description: 'The hub that serves this document.' }],
    security: [{ bearer: [] }],
    tags: chapters.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas,
      responses: commonResponses(),
      headers: responseHeaders(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token from `POST /auth/login`.' },
      },
    },
    'x-refusals': errorCodes.map((code) => {
      const { status, retryable, when } = errorTypes[code];
      return { code, status, retryable, when };
    }),
  };
}

const ownerId = field.userId.meta({
  description:
    'The seller for whom the caller acts, as a member of the staff; percent-encoded where it has characters beyond ASCII.',
  examples: ['mei'],
});

/** What applies to every route. */
const CONVENTIONS = [
  `JSON with camelCase names, at most ${FRAME_BYTES_MAX / 1024} KB per request. Ids are strings; a character is a Unicode code point.`,
  'Times are ISO 8601 in UTC with milliseconds. **Money is a whole number of minor units** (fen, cents).',
  'Unknown fields and query parameters are rejected, so a misspelt name never goes unnoticed. Omit an optional field; do not send null.',
  `**A command with a \`key\` takes effect once**, however often it is sent. Every repetition returns the first answer, with \`${REPLAYED_HEADER}\`, even while the first request is still in progress and after a crash. Over HTTP, the key may be sent in the header \`${KEY_HEADER}\`.`,
  `Lists return \`items\` and \`next\`, ${field.PAGE_LIMIT_DEFAULT} items per page by default; \`limit\` changes that.`,
  `A member of a seller’s staff acts for the seller with the header \`${ACTING_FOR_HEADER}\`, within the rights that it was given.`,
  'An error is `{ code, message, retryable, details }`. If `retryable` is true, the same request with the same key may succeed later.',
].join('\n\n');

function operationOf(name: string, tag: string, route: RouteRow, schemas: Record<string, Schema>): Operation {
  return {
    operationId: name,
    tags: [tag],
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    ...(route.isPublic ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...bodyOf(route, schemas),
    responses: responsesOf(route, schemas),
    'x-refusals': errorsOf(route),
  };
}

function parametersOf(route: RouteRow): Parameter[] {
  const { properties, required } = requestOf(route);
  const inPath = pathNames(route);
  const parameters = Object.entries(properties)
    .filter(([name]) => inPath.includes(name) || route.method === 'GET')
    .map(([name, schema]): Parameter => {
      const location = inPath.includes(name) ? 'path' : 'query';
      return parameter(name, location, location === 'path' || required.includes(name), schema);
    });
  if (takesKey(route)) parameters.push(parameter(KEY_HEADER, 'header', false, schemaOf(field.key)));
  if (route.right !== undefined) parameters.push(parameter(ACTING_FOR_HEADER, 'header', false, schemaOf(ownerId)));
  return parameters;
}

function parameter(name: string, location: Parameter['in'], required: boolean, field: Schema): Parameter {
  const { description, examples, ...schema } = field;
  return {
    name,
    in: location,
    required,
    ...(description ? { description } : {}),
    schema,
    ...(examples ? { example: examples[0] } : {}),
  };
}

/** The fields that are not in the path. Path parameters that the body may repeat are optional there. */
function bodyOf(route: RouteRow, schemas: Record<string, Schema>): Pick<Operation, 'requestBody'> {
  if (route.hasRawBody)
    return { requestBody: { required: true, content: { [JSON_TYPE]: { schema: {}, example: {} } } } };
  const { properties, required, schema } = requestOf(route);
  if (route.method === 'GET' || route.method === 'DELETE' || !schema) return {};
  const inPath = pathNames(route);
  const fields = Object.entries(properties).filter(([name]) => route.allowPathParamsInBody || !inPath.includes(name));
  const body: Schema = {
    ...schema,
    properties: Object.fromEntries(fields),
    required: required.filter((name) => !inPath.includes(name)),
  };
  const exampleFields = Object.fromEntries(fields.filter(([name]) => !inPath.includes(name)));
  const example = exampleOf({ ...schema, properties: exampleFields }, schemas);
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
