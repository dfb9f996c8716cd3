import type { z } from 'zod';
import type { ErrorCode } from '../contract/errors.js';
import { connecting } from '../contract/rooms.js';
import { errorsOf, type MessageRow, type Row } from '../contract/row.js';
import { conditions, orderStatuses, placement, transitions } from '../contract/transitions.js';
import { answerTo, CONTRACT_VERSION, FRAME_BYTES_MAX, messages, pushes } from '../contract/wire.js';
import { exampleOf } from './examples.js';
import { namedSchemas, oneOfErrors, type Schema, schemaOf } from './schemas.js';

interface Reference {
  $ref: string;
}
export interface Message {
  name: string;
  title?: string;
  summary?: string;
  payload: Schema;
  examples: { payload: unknown }[];
}
export interface Operation {
  /** From the hub's point of view: it receives messages and sends pushes. */
  action: 'receive' | 'send';
  channel: Reference;
  summary: string;
  description?: string;
  messages: Reference[];
  reply?: { channel: Reference; messages: Reference[] };
  /** The error codes that it may return, those specific to it first. */
  'x-refusals'?: ErrorCode[];
}
export type AsyncApi = ReturnType<typeof asyncApi>;

/** The document's key for a message name: keys may not contain colons. */
export function keyOf(name: string): string {
  return name.replace(':', '.');
}
const ANSWER = 'answer';
const CONNECT = 'connect';
const CONNECT_ERROR = 'connect_error';
const CHANNEL: Reference = { $ref: '#/channels/hub' };

/** The AsyncAPI document of the Socket.IO API, generated from the contract's tables. */
export function asyncApi() {
  const schemas = namedSchemas();
  const { components, operations } = messagesAndOperations(schemas);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Order hub Socket.IO API',
      version: `${CONTRACT_VERSION}.0.0`,
      description: GUARANTEES,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: { hub: server() },
    channels: {
      hub: {
        address: '/',
        title: 'The default namespace',
        description: 'One connection per device. The hub adds it to its user’s rooms; clients cannot choose rooms.',
        messages: Object.fromEntries(
          Object.keys(components).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
      },
    },
    operations,
    components: {
      schemas,
      messages: components,
      securitySchemes: {
        token: { type: 'apiKey', in: 'user', description: '`auth.token` in the handshake, from `POST /auth/login`.' },
      },
    },
    'x-order-lifecycle': {
      statuses: orderStatuses,
      steps: [{ ...placement, from: null, to: [placement.to], when: undefined }, ...transitions],
      conditions,
    },
  };
}

const GUARANTEES = [
  'Every message is acknowledged, valid or not, in the order sent.',
  '**A room is a numbered event stream.** A socket receives every event of its rooms once, in order, without gaps, across lost connections, crashes and restarts: a client that reconnects sends the last number it received, and gets every event after it.',
  `WebSocket and long-polling are both supported. A frame over ${FRAME_BYTES_MAX / 1024} KB closes the connection.`,
].join('\n\n');

function server() {
  return {
    host: '{host}',
    pathname: '/socket.io/',
    protocol: 'ws',
    description: 'Socket.IO 4 with its default path and namespace.',
    variables: { host: { default: '127.0.0.1:3000', description: 'The hub’s host and port.' } },
    security: [{ $ref: '#/components/securitySchemes/token' }],
  };
}

/** The component messages (requests, answers and pushes), and the operations that use them. */
function messagesAndOperations(schemas: Record<string, Schema>) {
  const components: Record<string, Message> = {};
  const operations: Record<string, Operation> = {};
  const addMessage = (key: string, name: string, shape: z.ZodType, summary?: string): Reference => {
    components[key] = messageOf(name, shape, schemas, summary);
    return { $ref: `${CHANNEL.$ref}/messages/${key}` };
  };
  const addReceive = (name: string, row: Row & { request: z.ZodType }, replies: Reference[]) => {
    operations[keyOf(name)] = receiveOperation(row, addMessage(keyOf(name), name, row.request), replies);
  };

  const ready = addMessage(keyOf('room:ready'), 'room:ready', pushes['room:ready']);
  const error = oneOfErrors(errorsOf(connecting));
  const rejected = addMessage(CONNECT_ERROR, CONNECT_ERROR, error, 'The hub has rejected the connection.');
  addReceive(CONNECT, connecting, [ready, rejected]);
  for (const [name, row] of Object.entries<MessageRow>(messages)) {
    const answer = answerTo(row.data, oneOfErrors(errorsOf(row)));
    addReceive(name, row, [addMessage(`${keyOf(name)}.${ANSWER}`, name, answer, 'The acknowledgement.')]);
  }
  for (const [name, shape] of Object.entries<z.ZodType>(pushes)) {
    const push = addMessage(keyOf(name), name, shape);
    operations[keyOf(name)] = { action: 'send', channel: CHANNEL, summary: shape.description ?? '', messages: [push] };
  }
  return { components, operations };
}

function receiveOperation(row: Row, request: Reference, replies: Reference[]): Operation {
  return {
    action: 'receive',
    channel: CHANNEL,
    summary: row.summary,
    ...(row.description ? { description: row.description } : {}),
    messages: [request],
    reply: { channel: CHANNEL, messages: replies },
    'x-refusals': errorsOf(row),
  };
}

function messageOf(name: string, shape: z.ZodType, schemas: Record<string, Schema>, summary?: string): Message {
  const payload = schemaOf(shape);
  return {
    name,
    ...(summary ? { summary } : {}),
    payload,
    examples: [{ payload: exampleOf(payload, schemas) }],
  };
}
