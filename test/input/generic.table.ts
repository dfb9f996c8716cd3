import { FRAME_BYTES_MAX } from '../../src/contract/wire.js';
import { Attachment, CANARY, Literal, nested, withValue, written } from './values.js';

/** What stands in the place of a whole message, or around it. None of it has the shape of any message. */
export interface Instead {
  says: string;
  /** The arguments of the event. */
  args: unknown[];
}

const NESTINGS = [33, 100, 500, 6_000, 30_000];

export function insteadOf(valid: Record<string, unknown>): Instead[] {
  const whole = (says: string, value: unknown): Instead => ({ says, args: [value] });
  return [
    { says: 'two messages', args: [valid, valid] },
    { says: '500 messages', args: Array.from({ length: 500 }, () => 0) },
    { says: 'null before it', args: [null, valid] },
    whole('null', null),
    whole('true', true),
    whole('false', false),
    whole('zero', 0),
    whole('below zero', -1),
    whole('a number beyond all numbers', new Literal('1e400')),
    whole('an empty text', ''),
    whole('a text', CANARY),
    whole('itself as a text', JSON.stringify(valid)),
    whole('an empty list', []),
    whole('itself in a list', [valid]),
    whole('bytes', new Attachment(Buffer.from(CANARY))),
    whole(
      '10 attachments',
      Array.from({ length: 10 }, () => new Attachment(Buffer.from(CANARY))),
    ),
    whole('a placeholder without its bytes', new Literal('{"_placeholder":true,"num":0}')),
    whole('5,000 fields', Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, 0]))),
    whole('a name of 50,000 characters', { ...valid, ['n'.repeat(50_000)]: 1 }),
    ...NESTINGS.map((levels) => whole(`${levels} lists`, nested(levels))),
    ...NESTINGS.filter((levels) => levels < 10_000).map((levels) =>
      whole(`${levels} objects`, nested(levels, '{"a":', '}', '1')),
    ),
    ...NESTINGS.filter((levels) => levels < 10_000).map((levels) =>
      whole(`itself, with ${levels} lists in it`, { ...valid, [CANARY]: nested(levels) }),
    ),
  ];
}

/** Names that no shape has, or that only another one has: what a careless server would take over into its own rows. */
const UNLISTED = [
  CANARY,
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  '_placeholder',
  '',
  'isAdmin',
  'userId',
  'buyerId',
  'sellerId',
  'ownerId',
  'role',
  'price',
  'total',
  'status',
  'version',
  'balance',
  'createdAt',
  'expiresAt',
  'paidAt',
  'discount',
  'currency',
  'commandId',
  'idempotencyKey',
];

interface Unlisted {
  says: string;
  message: Record<string, unknown>;
  /** Where the fault is told to be. */
  at: string;
}

/** The valid message with a field that is not listed, in it and in every object that stands in it. */
export function unlistedIn(valid: Record<string, unknown>): Unlisted[] {
  return objectsIn(valid).flatMap(({ path, value }) =>
    UNLISTED.filter((name) => !Object.hasOwn(value, name)).map((name) => ({
      says: `an unlisted ${[...path, name].join('.')}`,
      message: withValue(valid, [...path, name], name === '__proto__' ? { [CANARY]: 1 } : `${CANARY}!`) as Record<
        string,
        unknown
      >,
      at: [...path, name].join('.'),
    })),
  );
}

function objectsIn(value: unknown, path: string[] = []): { path: string[]; value: object }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => objectsIn(item, [...path, String(index)]));
  if (typeof value !== 'object' || value === null || path.at(-1) === 'details') return [];
  return [{ path, value }, ...Object.entries(value).flatMap(([name, item]) => objectsIn(item, [...path, name]))];
}

/** The valid message, whose first field is there twice. The last one counts, as everywhere in JSON. */
export function twice(valid: Record<string, unknown>, lastIsBad: boolean): Literal | undefined {
  const [name] = Object.keys(valid);
  if (name === undefined) return undefined;
  const field = `${JSON.stringify(name)}:[${JSON.stringify(CANARY)}]`;
  const whole = written(valid).slice(1, -1);
  return new Literal(lastIsBad ? `{${whole},${field}}` : `{${field},${whole}}`);
}

/** Names near that of a message. With a valid message each of them is a message that there is not. */
export function namesNear(name: string): string[] {
  return [
    name.toUpperCase(),
    `${name} `,
    ` ${name}`,
    `${name}\u0000`,
    `${name}\u200b`,
    name.replace(':', '.'),
    name.replace(':', '：'),
    `${name}:${CANARY}`,
    `/${name}`,
    `__proto__.${name}`,
  ];
}
export const NAMES_OF_NOTHING = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'message',
  'ping',
  'error',
  '',
  CANARY,
  '\u001b[31m',
  '\u0024{7*7}',
  'n'.repeat(50_000),
];

/** Frames that are no message at all. The line is cut: what follows on it could not be told from what came before. */
export function framesThatCut(name: string, valid: string): { says: string; frames: (string | Buffer)[] }[] {
  const event = `42["${name}",${valid}]`;
  const cut = (says: string, ...frames: (string | Buffer)[]) => ({ says, frames });
  return [
    cut('JSON that breaks off', `421["${name}",{`),
    cut('JSON with something after it', `421["${name}",${valid}]]`),
    cut('JSON with a comma too many', `421["${name}",${valid},]`),
    cut('single quotes', `421['${name}',${valid}]`),
    cut('no list', `421{"name":"${name}","args":${valid}}`),
    cut('a text', `421"${name}"`),
    cut('an empty list', '421[]'),
    cut('an object as the name', `421[{"name":"${name}"},${valid}]`),
    cut('null as the name', `421[null,${valid}]`),
    cut('a list as the name', `421[["${name}"],${valid}]`),
    ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map((reserved) =>
      cut(`the name ${reserved}`, `421["${reserved}",${valid}]`),
    ),
    cut('a byte more than a frame may have', event.padEnd(FRAME_BYTES_MAX + 1, ' ')),
    cut('a megabyte', event.padEnd(1_048_577, ' ')),
    cut('11 attachments announced', `4511-1["${name}",${valid}]`),
    cut('no attachments announced', `450-1["${name}",${valid}]`),
    cut('attachments without a number', `45x-1["${name}",${valid}]`),
    cut('a place that no attachment takes', `451-1["${name}",{"_placeholder":true,"num":5}]`, Buffer.from('x')),
    cut('a place below zero', `451-1["${name}",{"_placeholder":true,"num":-1}]`, Buffer.from('x')),
    cut('text where bytes are due', `451-1["${name}",{"_placeholder":true,"num":0}]`, event),
    cut('bytes where none are due', Buffer.from(event)),
    cut('a packet of no kind', `47["${name}",${valid}]`),
    cut('a frame of no kind', `9["${name}",${valid}]`),
  ];
}
