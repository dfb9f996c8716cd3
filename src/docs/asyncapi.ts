import type { z } from 'zod';
import type { RefusalCode } from '../contract/errors.js';
import { lifecycle, orderStatuses, placing } from '../contract/lifecycle.js';
import { connecting } from '../contract/rooms.js';
import { type MessageRow, type Row, refusalsOf } from '../contract/row.js';
import { answerTo, CONTRACT_VERSION, FRAME_BYTES_MAX, messages, pushes } from '../contract/wire.js';
import { exampleOf } from './examples.js';
import { errorAmong, namedSchemas, type Schema, schemaOf } from './schemas.js';

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
  /** As the hub sees it: it receives messages and sends pushes. */
  action: 'receive' | 'send';
  channel: Reference;
  summary: string;
  description?: string;
  messages: Reference[];
  reply?: { channel: Reference; messages: Reference[] };
  /** The codes that may refuse it, its own first. */
  'x-refusals'?: RefusalCode[];
}
export type AsyncApi = ReturnType<typeof asyncApi>;

/** Keys of the document may not hold colons; the messages keep their names. */
export function keyOf(name: string): string {
  return name.replace(':', '.');
}
const ANSWER = 'answer';
const CONNECT = 'connect';
const CONNECT_ERROR = 'connect_error';
const CHANNEL: Reference = { $ref: '#/channels/hub' };

/** The AsyncAPI document of everything that may be said over Socket.IO, made from the contract's tables. */
export function asyncApi() {
  const schemas = namedSchemas();
  const { said, operations } = everythingSaid(schemas);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Order hub over Socket.IO',
      version: `${CONTRACT_VERSION}.0.0`,
      description: PROMISE,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: { hub: server() },
    channels: {
      hub: {
        address: '/',
        title: 'The default namespace',
        description: 'One connection a device. The hub joins it to its user’s rooms; no client can name a room.',
        messages: Object.fromEntries(Object.keys(said).map((key) => [key, { $ref: `#/components/messages/${key}` }])),
      },
    },
    operations,
    components: {
      schemas,
      messages: said,
      securitySchemes: {
        token: { type: 'apiKey', in: 'user', description: '`auth.token` of the handshake, from `POST /auth/login`.' },
      },
    },
    'x-order-lifecycle': {
      statuses: orderStatuses,
      steps: [{ ...placing, from: null }, ...lifecycle],
    },
  };
}

const PROMISE = [
  'Every message is answered through its acknowledgement, whatever is wrong with it, in the order sent.',
  '**A room is a numbered stream.** A socket gets every event of its rooms, in order, once, without a gap: also across lost connections, crashes and restarts. A client that comes back says the last number that it saw, and gets what it missed.',
  `WebSocket and long-polling both work. A frame over ${FRAME_BYTES_MAX / 1024} KB cuts the connection.`,
].join('\n\n');

function server() {
  return {
    host: '{host}',
    pathname: '/socket.io/',
    protocol: 'ws',
    description: 'Socket.IO 4, default path and namespace.',
    variables: { host: { default: '127.0.0.1:3000', description: 'Where the hub listens.' } },
    security: [{ $ref: '#/components/securitySchemes/token' }],
  };
}

/** Each message with the operation that it belongs to, and with its answer. */
function everythingSaid(named: Record<string, Schema>) {
  const said: Record<string, Message> = {};
  const operations: Record<string, Operation> = {};
  const say = (key: string, name: string, shape: z.ZodType, summary?: string): Reference => {
    said[key] = messageOf(name, shape, named, summary);
    return { $ref: `${CHANNEL.$ref}/messages/${key}` };
  };
  const hear = (name: string, row: Row & { request: z.ZodType }, replies: Reference[]) => {
    operations[keyOf(name)] = heardAs(row, say(keyOf(name), name, row.request), replies);
  };

  const ready = say(keyOf('room:ready'), 'room:ready', pushes['room:ready']);
  const shut = say(CONNECT_ERROR, CONNECT_ERROR, errorAmong(refusalsOf(connecting)), 'The connection is refused.');
  hear(CONNECT, connecting, [ready, shut]);
  for (const [name, row] of Object.entries<MessageRow>(messages)) {
    const answer = answerTo(row.data, errorAmong(refusalsOf(row)));
    hear(name, row, [say(`${keyOf(name)}.${ANSWER}`, name, answer, 'What the acknowledgement holds.')]);
  }
  for (const [name, shape] of Object.entries<z.ZodType>(pushes)) {
    const told = say(keyOf(name), name, shape);
    operations[keyOf(name)] = { action: 'send', channel: CHANNEL, summary: shape.description ?? '', messages: [told] };
  }
  return { said, operations };
}

function heardAs(row: Row, given: Reference, replies: Reference[]): Operation {
  return {
    action: 'receive',
    channel: CHANNEL,
    summary: row.says,
    ...(row.notes ? { description: row.notes } : {}),
    messages: [given],
    reply: { channel: CHANNEL, messages: replies },
    'x-refusals': refusalsOf(row),
  };
}

function messageOf(name: string, shape: z.ZodType, named: Record<string, Schema>, summary?: string): Message {
  const payload = schemaOf(shape);
  return {
    name,
    ...(summary ? { summary } : {}),
    payload,
    examples: [{ payload: exampleOf(payload, named) }],
  };
}
