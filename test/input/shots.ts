import fc from 'fast-check';
import { messages, routes } from '../../src/contract/wire.js';
import { frame } from '../support/raw.line.js';
import { written } from './values.js';

/**
 * One thing that is thrown at a hub, so that it can be kept in a file. A message is one that Socket.IO can read, and must be
 * answered; frames may be anything, and the line then answers or is cut; bytes may break off, and are only survived.
 */
export type Shot =
  | { kind: 'message'; args: string }
  | { kind: 'frames'; frames: string[] }
  | { kind: 'bytes'; hex: string }
  | { kind: 'request'; method: string; path: string; headers: Record<string, string>; body: string };

type Message = Record<string, unknown>;

const strange = [
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
  fc.constantFrom(...strange),
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

/** What may happen to a message on its way through careless hands. */
const mutation = fc.record({
  place: fc.nat(),
  how: fc.oneof(
    { weight: 4, arbitrary: value.map((content) => ({ put: content })) },
    { weight: 1, arbitrary: fc.constant('remove' as const) },
    { weight: 1, arbitrary: fc.tuple(name, value).map(([field, content]) => ({ add: field, content })) },
    { weight: 1, arbitrary: fc.constant('into a list' as const) },
    { weight: 1, arbitrary: fc.constant('as a text' as const) },
  ),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

function mutated(message: unknown, { place, how }: Mutation): unknown {
  const places = placesIn(message);
  const path = places[place % places.length] ?? [];
  return changed(message, path, (before) => {
    if (how === 'remove') return undefined;
    if (how === 'into a list') return [before];
    if (how === 'as a text') return JSON.stringify(before);
    if ('put' in how) return how.put;
    return typeof before === 'object' && before !== null
      ? Object.fromEntries([...Object.entries(before), [how.add, how.content]])
      : how.content;
  });
}

function placesIn(message: unknown, path: string[] = []): string[][] {
  if (typeof message !== 'object' || message === null) return [path];
  return [path, ...Object.entries(message).flatMap(([step, content]) => placesIn(content, [...path, step]))];
}

function changed(message: unknown, [step, ...rest]: string[], change: (before: unknown) => unknown): unknown {
  if (step === undefined) return change(message);
  const entries = Object.entries(message as object).map(([field, content]) => [
    field,
    field === step ? changed(content, rest, change) : content,
  ]);
  return Array.isArray(message) ? entries.map(([, content]) => content) : Object.fromEntries(entries);
}

/** Everything that is thrown, in the shares in which it is. The valid messages are the beginning of most of it. */
export function shots(valid: ReadonlyMap<string, Message>): fc.Arbitrary<Shot> {
  const known = fc.constantFrom(...Object.keys(messages));
  const near = fc
    .record({ name: known, mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }) })
    .map(({ name: of, mutations }) => written([of, mutations.reduce<unknown>(mutated, valid.get(of) ?? {})]));
  const far = fc
    .tuple(fc.oneof(known, text, fc.integer()), fc.array(value, { maxLength: 3 }))
    .map(([of, values]) => written([of, ...values]));
  const message = fc
    .oneof({ weight: 3, arbitrary: near }, { weight: 1, arbitrary: far })
    .map((args): Shot => ({ kind: 'message', args: isReserved(args) ? '[""]' : args }));
  return fc.oneof(
    { weight: 80, arbitrary: message },
    { weight: 12, arbitrary: packets(fc.oneof(near, far)) },
    { weight: 3, arbitrary: bytes(near) },
    { weight: 5, arbitrary: requests(valid) },
  );
}

/** Names that Socket.IO keeps for itself: a message of that name is none. */
function isReserved(args: string): boolean {
  return /^\["(connect|connect_error|disconnect|disconnecting|newListener|removeListener)"/.test(args);
}

/** Packets of Engine.IO and Socket.IO: each part may be right, and often is not. */
function packets(message: fc.Arbitrary<string>): fc.Arbitrary<Shot> {
  const mostly = (right: string, ...wrong: string[]) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(right) },
      { weight: 1, arbitrary: fc.oneof(fc.constantFrom(...wrong), text) },
    );
  const cut = fc.tuple(message, fc.nat()).map(([whole, at]) => whole.slice(0, at % (whole.length + 1)));
  const placeholder = fc
    .tuple(message, fc.integer({ min: -1, max: 12 }))
    .map(([, num]) => written(['order:get', { orderId: { _placeholder: true, num } }]));
  const packet = fc
    .tuple(
      mostly('4', '0', '1', '2', '3', '5', '6', '7', 'b', ''),
      mostly('2', '0', '1', '3', '4', '5', '51-', '52-', '511-', '50-', '5x-', '5-', '6', '61-', '7', '9', ''),
      mostly('', '/', '/admin,', '/,', '/__proto__,', `/${'n'.repeat(3_000)},`, '/?x=1,'),
      mostly('1', '', '0', '007', '-1', '1e3', '9'.repeat(30), '9'.repeat(400), ' ', '\u00a0'),
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
  return fc.array(one, { minLength: 1, maxLength: 2 }).map((frames): Shot => ({ kind: 'frames', frames }));
}

/** Frames of WebSockets, whose heads say what is not so. */
function bytes(message: fc.Arbitrary<string>): fc.Arbitrary<Shot> {
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
      const place = at % Math.min(whole.length, 16);
      whole[place] = (whole[place] ?? 0) ^ (bits % 256);
      return whole;
    });
  return fc
    .array(fc.oneof(framed, noise), { minLength: 1, maxLength: 3 })
    .map((all): Shot => ({ kind: 'bytes', hex: Buffer.concat(all).toString('hex') }));
}

function requests(valid: ReadonlyMap<string, Message>): fc.Arbitrary<Shot> {
  // Whoever logs out by accident has nothing more to say.
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
  const near = fc
    .tuple(fc.constantFrom(...valid.values()), mutation)
    .map(([message, one]) => written(mutated(message, one)));
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
      near,
      text,
      value.map((any) => JSON.stringify(any)),
    ),
  });
}
