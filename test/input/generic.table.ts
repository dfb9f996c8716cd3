import { FRAME_BYTES_MAX } from '../../src/contract/wire.js';
import { Attachment, CANARY, Literal, nested, toJson, withValue } from './values.js';

/** Replaces a whole message. None has the shape of any message. */
export interface WholeMessage {
  label: string;
  /** The arguments of the event. */
  args: unknown[];
}

const NESTINGS = [33, 100, 500, 6_000, 30_000];

export function wholeMessages(valid: Record<string, unknown>): WholeMessage[] {
  const whole = (label: string, value: unknown): WholeMessage => ({ label, args: [value] });
  return [
    { label: 'two messages', args: [valid, valid] },
    { label: '500 messages', args: Array.from({ length: 500 }, () => 0) },
    { label: 'null and the message', args: [null, valid] },
    whole('null', null),
    whole('true', true),
    whole('false', false),
    whole('zero', 0),
    whole('a negative number', -1),
    whole('an infinite number', new Literal('1e400')),
    whole('an empty string', ''),
    whole('a string', CANARY),
    whole('the message as a string', JSON.stringify(valid)),
    whole('an empty list', []),
    whole('the message in a list', [valid]),
    whole('bytes', new Attachment(Buffer.from(CANARY))),
    whole(
      '10 attachments',
      Array.from({ length: 10 }, () => new Attachment(Buffer.from(CANARY))),
    ),
    whole('a placeholder without an attachment', new Literal('{"_placeholder":true,"num":0}')),
    whole('5,000 fields', Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, 0]))),
    whole('a name of 50,000 characters', { ...valid, ['n'.repeat(50_000)]: 1 }),
    ...NESTINGS.map((levels) => whole(`${levels} nested lists`, nested(levels))),
    ...NESTINGS.filter((levels) => levels < 10_000).map((levels) =>
      whole(`${levels} nested objects`, nested(levels, '{"a":', '}', '1')),
    ),
    ...NESTINGS.filter((levels) => levels < 10_000).map((levels) =>
      whole(`the message with ${levels} nested lists`, { ...valid, [CANARY]: nested(levels) }),
    ),
  ];
}

/** Names of no shape, or of other shapes: candidates for prototype pollution and mass assignment. */
const UNLISTED_NAMES = [
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

interface UnlistedField {
  label: string;
  message: Record<string, unknown>;
  /** The expected path of the error. */
  at: string;
}

/** The valid message with an unlisted field, at the top level and in every nested object. */
export function unlistedFields(valid: Record<string, unknown>): UnlistedField[] {
  return objectsIn(valid).flatMap(({ path, value }) =>
    UNLISTED_NAMES.filter((name) => !Object.hasOwn(value, name)).map((name) => ({
      label: `an unlisted ${[...path, name].join('.')}`,
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

/** The valid message with its first field twice. As usual in JSON, the last one counts. */
export function duplicateField(valid: Record<string, unknown>, lastIsBad: boolean): Literal | undefined {
  const [name] = Object.keys(valid);
  if (name === undefined) return undefined;
  const field = `${JSON.stringify(name)}:[[${JSON.stringify(CANARY)}]]`;
  const whole = toJson(valid).slice(1, -1);
  return new Literal(lastIsBad ? `{${whole},${field}}` : `{${field},${whole}}`);
}

/** Unknown event names that resemble a known one. */
export function similarNames(name: string): string[] {
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
export const UNKNOWN_NAMES = [
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

/** Frames that Socket.IO cannot parse. The connection is cut, because later packets could not be matched reliably. */
export function invalidFrames(name: string, valid: string): { label: string; frames: (string | Buffer)[] }[] {
  const event = `42["${name}",${valid}]`;
  const cut = (label: string, ...frames: (string | Buffer)[]) => ({ label, frames });
  return [
    cut('truncated JSON', `421["${name}",{`),
    cut('JSON with trailing data', `421["${name}",${valid}]]`),
    cut('JSON with a trailing comma', `421["${name}",${valid},]`),
    cut('single quotes', `421['${name}',${valid}]`),
    cut('an object instead of a list', `421{"name":"${name}","args":${valid}}`),
    cut('a string instead of a list', `421"${name}"`),
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
    cut('an invalid attachment count', `45x-1["${name}",${valid}]`),
    cut('a placeholder without an attachment', `451-1["${name}",{"_placeholder":true,"num":5}]`, Buffer.from('x')),
    cut('a negative placeholder', `451-1["${name}",{"_placeholder":true,"num":-1}]`, Buffer.from('x')),
    cut('text instead of an attachment', `451-1["${name}",{"_placeholder":true,"num":0}]`, event),
    cut('an unannounced attachment', Buffer.from(event)),
    cut('an unknown packet type', `47["${name}",${valid}]`),
    cut('an unknown frame type', `9["${name}",${valid}]`),
  ];
}
