import fc from 'fast-check';
import { messages, routes } from '../../src/contract/wire.js';
import { frame } from '../support/raw.line.js';
import { toJson } from './values.js';

/**
 * One serializable input. A message is valid Socket.IO and must be answered. Frames are arbitrary: the connection must keep
 * answering or be cut. Bytes may be incomplete and only have to be survived.
 */
export type FuzzInput =
  | { kind: 'message'; args: string }
  | { kind: 'frames'; frames: string[] }
  | { kind: 'bytes'; hex: string }
  | { kind: 'request'; method: string; path: string; headers: Record<string, string>; body: string };

type Message = Record<string, unknown>;

const unusualTexts = [
  '',
  '\u0000',
  '\u2028',
  '\u202e',
  '😀',
  'é',
  '__proto__',
  'constructor',
  "' OR 1=1 -- ",
  '\u0024{7*7}',
  'x'.repeat(2_000),
];
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 10 }),
  fc.constantFrom(...unusualTexts),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 1.5, 2 ** 53, 1e308),
);
const name = fc.oneof(
  fc.constantFrom('orderId', 'items', 'key', 'count', 'then', '__proto__', 'constructor', 'toJSON', 'length'),
  text,
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    number,
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((fields) => Object.fromEntries(fields)),
  ),
}));

/** A random change of one value in a message. */
const mutation = fc.record({
  position: fc.nat(),
  how: fc.oneof(
    { weight: 4, arbitrary: value.map((content) => ({ put: content })) },
    { weight: 1, arbitrary: fc.constant('remove' as const) },
    { weight: 1, arbitrary: fc.tuple(name, value).map(([field, content]) => ({ add: field, content })) },
    { weight: 1, arbitrary: fc.constant('wrap in a list' as const) },
    { weight: 1, arbitrary: fc.constant('stringify' as const) },
  ),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

function mutate(message: unknown, { position, how }: Mutation): unknown {
  const paths = pathsIn(message);
  const path = paths[position % paths.length] ?? [];
  return changeAt(message, path, (before) => {
    if (how === 'remove') return undefined;
    if (how === 'wrap in a list') return [before];
    if (how === 'stringify') return JSON.stringify(before);
    if ('put' in how) return how.put;
    return typeof before === 'object' && before !== null
      ? Object.fromEntries([...Object.entries(before), [how.add, how.content]])
      : how.content;
  });
}

function pathsIn(message: unknown, path: string[] = []): string[][] {
  if (typeof message !== 'object' || message === null) return [path];
  return [path, ...Object.entries(message).flatMap(([step, content]) => pathsIn(content, [...path, step]))];
}

function changeAt(message: unknown, [step, ...rest]: string[], change: (before: unknown) => unknown): unknown {
  if (step === undefined) return change(message);
  const entries = Object.entries(message as object).map(([field, content]) => [
    field,
    field === step ? changeAt(content, rest, change) : content,
  ]);
  return Array.isArray(message) ? entries.map(([, content]) => content) : Object.fromEntries(entries);
}

/** All inputs with their weights, mostly mutations of the valid messages. */
export function fuzzInputs(valid: ReadonlyMap<string, Message>): fc.Arbitrary<FuzzInput> {
  const known = fc.constantFrom(...Object.keys(messages));
  const mutatedMessage = fc
    .record({ name: known, mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }) })
    .map(({ name: messageName, mutations }) =>
      toJson([messageName, mutations.reduce<unknown>(mutate, valid.get(messageName) ?? {})]),
    );
  const randomMessage = fc
    .tuple(fc.oneof(known, text, fc.integer()), fc.array(value, { maxLength: 3 }))
    .map(([messageName, values]) => toJson([messageName, ...values]));
  const message = fc
    .oneof({ weight: 3, arbitrary: mutatedMessage }, { weight: 1, arbitrary: randomMessage })
    .map((args): FuzzInput => ({ kind: 'message', args: isReserved(args) ? '[""]' : args }));
  return fc.oneof(
    { weight: 80, arbitrary: message },
    { weight: 12, arbitrary: packets(fc.oneof(mutatedMessage, randomMessage)) },
    { weight: 3, arbitrary: bytes(mutatedMessage) },
    { weight: 5, arbitrary: requests(valid) },
  );
}

/** Event names that Socket.IO reserves and rejects. */
function isReserved(args: string): boolean {
  return /^\["(connect|connect_error|disconnect|disconnecting|newListener|removeListener)"/.test(args);
}

/** Engine.IO and Socket.IO packets in which each part may be wrong. */
function packets(message: fc.Arbitrary<string>): fc.Arbitrary<FuzzInput> {
  const usually = (right: string, ...wrong: string[]) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(right) },
      { weight: 1, arbitrary: fc.oneof(fc.constantFrom(...wrong), text) },
    );
  const cut = fc.tuple(message, fc.nat()).map(([whole, at]) => whole.slice(0, at % (whole.length + 1)));
  const placeholder = fc
    .tuple(message, fc.integer({ min: -1, max: 12 }))
    .map(([, num]) => toJson(['order:get', { orderId: { _placeholder: true, num } }]));
  const packet = fc
    .tuple(
      usually('4', '0', '1', '2', '3', '5', '6', '7', 'b', ''),
      usually('2', '0', '1', '3', '4', '5', '51-', '52-', '511-', '50-', '5x-', '5-', '6', '61-', '7', '9', ''),
      usually('', '/', '/admin,', '/,', '/__proto__,', `/${'n'.repeat(3_000)},`, '/?x=1,'),
      usually('1', '', '0', '007', '-1', '1e3', '9'.repeat(30), '9'.repeat(400), ' ', '\u00a0'),
      fc.oneof(
        { weight: 3, arbitrary: message },
        cut,
        placeholder,
        text,
        value.map((any) => JSON.stringify(any)),
      ),
    )
    .map((parts) => parts.join(''));
  const binary = fc.uint8Array({ maxLength: 40 }).map((content) => `hex:${Buffer.from(content).toString('hex')}`);
  const one = fc.oneof({ weight: 5, arbitrary: packet }, { weight: 1, arbitrary: binary });
  return fc.array(one, { minLength: 1, maxLength: 2 }).map((frames): FuzzInput => ({ kind: 'frames', frames }));
}

/** WebSocket frames with corrupted headers. */
function bytes(message: fc.Arbitrary<string>): fc.Arbitrary<FuzzInput> {
  const noise = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((content) => Buffer.from(content));
  const framed = fc
    .tuple(
      fc.oneof(
        noise,
        message.map((args) => Buffer.from(`42${args}`)),
      ),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(),
      fc.nat(),
    )
    .map(([content, first, at, bits]) => {
      const whole = frame(content, first);
      const position = at % Math.min(whole.length, 16);
      whole[position] = (whole[position] ?? 0) ^ (bits % 256);
      return whole;
    });
  return fc
    .array(fc.oneof(framed, noise), { minLength: 1, maxLength: 3 })
    .map((all): FuzzInput => ({ kind: 'bytes', hex: Buffer.concat(all).toString('hex') }));
}

function requests(valid: ReadonlyMap<string, Message>): fc.Arbitrary<FuzzInput> {
  // A logout would end the session that all requests use.
  const route = fc.constantFrom(...Object.values(routes).filter((row) => row !== routes.logout));
  const step = fc.oneof(
    fc.constantFrom('store', 'book-1', '%', '%00', '%ED%A0%80', '..'),
    text.map((any) => encodeURIComponent(any.toWellFormed())),
  );
  const address = fc.tuple(route, step, fc.oneof(fc.constant(''), text)).map(([{ path }, name_, query]) => {
    const filled = path.replace(/:\w+/g, () => name_);
    return query === ''
      ? filled
      : `${filled}?${encodeURIComponent(query.toWellFormed())}=1&limit=${encodeURIComponent(query.toWellFormed())}`;
  });
  const polling = fc
    .tuple(fc.constantFrom('4', '3', ''), fc.constantFrom('polling', 'websocket', 'x'))
    .map(([version, transport]) => `/socket.io/?EIO=${version}&transport=${transport}`);
  const mutatedMessage = fc
    .tuple(fc.constantFrom(...valid.values()), mutation)
    .map(([message, one]) => toJson(mutate(message, one)));
  const header = fc.tuple(
    fc.constantFrom(
      'content-type',
      'content-encoding',
      'idempotency-key',
      'authorization',
      'origin',
      'x-forwarded-for',
      'x-request-id',
      'cookie',
    ),
    fc.oneof(
      fc.constantFrom('application/json', 'gzip', 'Bearer x', 'null', '*', '1, 2', 'text/plain; charset=utf-7'),
      fc.string({ maxLength: 40 }),
    ),
  );
  return fc.record({
    kind: fc.constant('request' as const),
    method: fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'),
    path: fc.oneof({ weight: 6, arbitrary: address }, { weight: 1, arbitrary: polling }),
    headers: fc
      .array(header, { maxLength: 3 })
      .map((all) => ({ 'content-type': 'application/json', ...Object.fromEntries(all) })),
    body: fc.oneof(
      fc.constant(''),
      mutatedMessage,
      text,
      value.map((any) => JSON.stringify(any)),
    ),
  });
}
