import { z } from 'zod';
import { coverUrl, DETAILS_BYTES_MAX, DETAILS_FIELDS_MAX, details } from '../../src/contract/book.fields.js';
import * as field from '../../src/contract/fields.js';
import { filterTime, LISTED_IDS_MAX, orderIds } from '../../src/contract/order.filters.js';
import { p256dh, pushAuth } from '../../src/contract/push.js';
import { PERIODS_MAX, periodTimes } from '../../src/contract/wallet.js';
import { receiverUrl, webhookSecret } from '../../src/contract/webhooks.js';
import { Attachment, CANARY, Literal, nested } from './values.js';

/** A value for a field, and whether the contract accepts it. */
export interface Sample {
  label: string;
  value: unknown;
  accepted: boolean;
}
/** A sample in a table; `by schema` leaves the decision to the field's own schema. */
interface TableSample extends Omit<Sample, 'accepted'> {
  accepted: boolean | 'by schema';
}

/** A kind of field, recognized by its schema. */
interface Kind {
  name: string;
  matches: (schema: z.ZodType) => boolean;
  samples: (schema: z.ZodType) => TableSample[];
}

const sample = (label: string, value: unknown, accepted: TableSample['accepted'] = false): TableSample => ({
  label,
  value,
  accepted,
});

/** Values whose type no field of the contract has. */
const wrongTypes: TableSample[] = [
  sample('null', null),
  sample('an object', { [CANARY]: CANARY }),
  sample('a query operator', { $ne: 1 }),
  sample('a comparison operator', { $gt: '' }),
  sample('a TypeORM operator', { '@instanceof': 'FindOperator', _type: 'not', _value: 1 }),
  sample('__proto__', new Literal(`{"__proto__":{"length":1,"${CANARY}":1}}`)),
  sample('constructor.prototype', new Literal('{"constructor":{"prototype":{"isAdmin":true}}}')),
  sample('a thenable', new Literal(`{"then":"${CANARY}"}`)),
  sample('an object with toJSON', { toJSON: CANARY, toString: CANARY, valueOf: 1 }),
  sample('a placeholder without an attachment', new Literal('{"_placeholder":true,"num":0}')),
  sample('bytes', new Attachment(Buffer.from(CANARY))),
  sample('33 nested lists', nested(33)),
];
const booleans = [sample('true', true), sample('false', false)];

const NUMBERS = [
  '-1',
  '0',
  '-0',
  '1',
  '2',
  '7.0',
  '1E2',
  '1e-2',
  '1.5',
  '0.30000000000000004',
  '1e21',
  '1e308',
  '1e400',
  '-1e400',
  '2147483647',
  '2147483648',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740991',
  '9223372036854775807',
  '9223372036854775808',
  '18446744073709551616',
];
const NUMBERS_AS_TEXT = [
  '1',
  '1e3',
  '0x10',
  ' 1',
  '1 ',
  '１',
  '1,000',
  '',
  '1n',
  'NaN',
  'Infinity',
  '1 or 1=1',
  '1abc',
];

function numberSamples(schema: z.ZodType): TableSample[] {
  const {
    minimum = 0,
    maximum = 0,
    not,
  } = schema.meta() as { minimum?: number; maximum?: number; not?: { const: number } };
  const isAccepted = (value: number) =>
    Number.isSafeInteger(value) && value >= minimum && value <= maximum && value !== not?.const;
  const edges = [minimum, minimum - 1, maximum, maximum + 1].map(String);
  return [
    ...[...new Set([...NUMBERS, ...edges])].map((json) => sample(json, new Literal(json), isAccepted(Number(json)))),
    ...NUMBERS_AS_TEXT.map((text) => sample(`the string "${text}"`, text)),
    sample('a number in a list', [5]),
    sample('an empty list', []),
  ];
}

/** Injection attempts and unusual Unicode: accepted verbatim wherever the length fits. */
const SUSPICIOUS: [label: string, text: string][] = [
  ['a quote that ends a statement', `${CANARY}' OR 1=1 -- `.trim()],
  ['a dropped table', `"; DROP TABLE orders; -- ${CANARY}`],
  ['an escaped quote', `\\' OR ${CANARY}`],
  ['a number in hexadecimal', '0x31'],
  ['an executable comment', '/*!50000 1*/'],
  ['a template', '\u0024{7*7}{{7*7}}#{7*7}'],
  ['a format string', '%s%n%d%x'],
  ['markup', `<img src=x onerror=alert('${CANARY}')>`],
  ['a formula', '=HYPERLINK("http://evil.example")'],
  ['a script URL', 'javascript:alert(1)'],
  ['a path traversal', '../../etc/passwd'],
  ['the word null', 'null'],
  ['the word undefined', 'undefined'],
  ['the word __proto__', '__proto__'],
  ['the word constructor', 'constructor'],
  ['a combining accent', 'e\u0301'],
  ['a precomposed accent', 'é'],
  ['full-width letters', 'ａｄｍｉｎ'],
  ['the Turkish i', 'ADMİN ı'],
  ['the German sharp s', 'ß SS'],
  ['a flag', '🇨🇳'],
  ['combining marks without a letter', '\u0301'.repeat(30)],
  ['a line separator inside', 'a\u2028b'],
];
/** Unusual as well, but not in an id that a request creates. */
const FORMAT_CHARACTERS: [label: string, text: string][] = [
  ['a family, joined by format characters', '👨‍👩‍👧‍👦'],
  ['a right-to-left override', 'a\u202eb'],
  ['a zero-width space inside', 'a\u200bb'],
];
/** Ids that a request cannot create. */
const UNUSABLE_IDS: [label: string, text: string][] = [
  ['a dot', '.'],
  ['two dots', '..'],
  ['a left-to-right mark after', 'ab\u200e'],
  ['a zero-width space after', 'ab\u200b'],
  ['a soft hyphen', 'a\u00adb'],
  ['a word joiner before', '\u2060ab'],
  ['an invisible tag', 'ab\u{e0041}'],
];
const CONTROL_CHARACTERS: [label: string, text: string][] = [
  ['a NUL inside', `a\u0000${CANARY}`],
  ['a forged log line', `${CANARY}\r\n{"level":50,"msg":"fault"}`],
  ['a terminal escape sequence', `\u001b[31m${CANARY}`],
  ['a tab', 'a\tb'],
  ['a C1 control character', 'a\u0085b'],
];

interface TextKind {
  trimmed?: boolean;
  isNewId?: boolean;
}

function textSamples(schema: z.ZodType, { trimmed = false, isNewId = false }: TextKind = {}): TableSample[] {
  const { minLength = 0, maxLength = 0 } = schema.meta() as { minLength?: number; maxLength?: number };
  const textOf = (length: number) => CANARY.padEnd(length, 'x').slice(0, length);
  const isAccepted = (text: string) => {
    const length = field.characters(text);
    return length >= minLength && length <= maxLength && (!trimmed || text.trim() === text);
  };
  const checked = (label: string, text: string) => sample(label, text, isAccepted(text));
  return [
    ...SUSPICIOUS.map(([label, text]) => checked(label, text)),
    ...FORMAT_CHARACTERS.map(([label, text]) => sample(label, text, !isNewId && isAccepted(text))),
    ...(isNewId ? UNUSABLE_IDS.map(([label, text]) => sample(label, text)) : []),
    // Some texts may hold line breaks, and passwords anything, as their schemas say.
    ...CONTROL_CHARACTERS.map(([label, text]) => sample(label, text, isAccepted(text) ? 'by schema' : false)),
    checked('an empty string', ''),
    checked('a space', ' '),
    checked('a space before', ` ${textOf(Math.max(minLength, 8))}`),
    checked('a space after', `${textOf(Math.max(minLength, 8))} `),
    checked('a no-break space after', `${textOf(Math.max(minLength, 8))}\u00a0`),
    checked('a byte order mark before', `\ufeff${textOf(Math.max(minLength, 8))}`),
    checked('the maximum length', textOf(maxLength)),
    checked('one character too long', textOf(maxLength + 1)),
    checked('the maximum length in four-byte characters', '😀'.repeat(Math.min(maxLength, 10_000))),
    checked('one four-byte character too long', '😀'.repeat(Math.min(maxLength, 10_000) + 1)),
    checked('a slow regex match', `${'a'.repeat(50_000)}!`),
    sample('a lone high surrogate', new Literal(`"${textOf(8)}\\ud800"`)),
    sample('a lone low surrogate', new Literal(`"\\udc00${textOf(8)}"`)),
    sample('zero', 0),
    sample('a number', 1.5),
    sample('a string in a list', [CANARY]),
    sample('zero in a list', [0]),
    ...booleans,
  ];
}

const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
function keySamples(): TableSample[] {
  return [
    sample('the maximum length', `${CANARY}-${visible.join('')}`.slice(0, field.KEY_CHARACTERS_MAX), true),
    sample('one character', '!', true),
    sample('the word __proto__', '__proto__', true),
    sample('a quote that ends a statement', `'OR/**/1=1--${CANARY}`, true),
    ...[
      ['an empty string', ''],
      ['one character too long', 'k'.repeat(field.KEY_CHARACTERS_MAX + 1)],
      ['300 characters', 'k'.repeat(300)],
      ['a space inside', `${CANARY} 1`],
      ['a space after', `${CANARY} `],
      ['a line break after', `${CANARY}\n`],
      ['a NUL after', `${CANARY}\u0000`],
      ['a DEL', `${CANARY}\u007f`],
      ['an accent', `${CANARY}é`],
      ['a Chinese character', '键'],
      ['full-width letters', 'ｋｅｙ'],
      ['an emoji', '🔑'],
      ['a zero-width space', `${CANARY}\u200b`],
      ['a slow regex match', `${'a'.repeat(50_000)}\n`],
    ].map(([label = '', text]) => sample(label, text)),
    sample('a lone high surrogate', new Literal(`"${CANARY}\\ud800"`)),
    sample('zero', 0),
    sample('a number', 1.5),
    sample('a key in a list', [CANARY]),
    ...booleans,
  ];
}

/** Any string is a valid but unknown order id; only its length matters. */
function orderIdSamples(schema: z.ZodType): TableSample[] {
  const { maxLength = 0 } = schema.meta() as { maxLength?: number };
  const texts = textSamples(schema).map(({ label, value, accepted }) => {
    const text = value instanceof Literal ? (JSON.parse(value.json) as string) : value;
    return sample(label, value, typeof text === 'string' ? field.characters(text) <= maxLength : accepted);
  });
  const uuid = '01900000-0000-7000-8000-000000000000';
  const shapes: [string, string][] = [
    ['an unknown id', uuid],
    ['an id without dashes', uuid.replaceAll('-', '')],
    ['an id in braces', `{${uuid}}`],
    ['the nil UUID', '00000000-0000-0000-0000-000000000000'],
    ['a UUID of another version', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
    ['an SQL condition', '1 or 1=1'],
    ['a number with letters', '1abc'],
    ['a negative number', '-1'],
  ];
  return [
    ...texts,
    ...shapes.map(([label, text]) => sample(label, text, true)),
    sample('two ids in a list', [uuid, uuid]),
  ];
}

const urls: [label: string, text: string, accepted: boolean][] = [
  ['a script URL', 'javascript:alert(1)', false],
  ['a script URL in mixed case', 'JaVaScRiPt:alert(1)', false],
  ['a data URL', 'data:text/html,<script>alert(1)</script>', false],
  ['a file URL', 'file:///etc/passwd', false],
  ['a protocol-relative URL', '//evil.example/x.png', false],
  ['a host behind backslashes', '\\\\evil.example/x.png', false],
  ['no host', 'http://', false],
  ['a path', '/covers/x.png', true],
  ['a URL', `https://covers.example/${CANARY}.png`, true],
];

function urlSamples(schema: z.ZodType): TableSample[] {
  const refused = textSamples(schema).filter(({ accepted }) => accepted === false);
  return [...refused, ...urls.map(([label, text, accepted]) => sample(label, text, accepted))];
}

const receivers: [label: string, text: string, accepted: boolean][] = [
  ...urls.filter(([, , accepted]) => !accepted),
  ['a path', '/events', false],
  ['plain http', 'http://shop.example/events', false],
  ['a name and a password', `https://${CANARY}:${CANARY}@shop.example/`, false],
  ['an empty name', 'https://@shop.example/', false],
  ['a fragment', 'https://shop.example/#a', false],
  ['an empty fragment', 'https://shop.example/#', false],
  ['an invalid port', 'https://shop.example:99999/', false],
  ['loopback', 'https://127.0.0.1/', false],
  ['loopback as a number', 'https://2130706433/', false],
  ['a mapped address', 'https://[::ffff:10.0.0.1]/', false],
  ['a name of loopback', 'https://localhost/', false],
  ['the address of cloud metadata', 'https://169.254.169.254/', false],
  ['a URL', `https://shop.example/${CANARY}?a=b`, true],
];

function receiverSamples(schema: z.ZodType): TableSample[] {
  const refused = textSamples(schema).filter(({ accepted }) => accepted === false);
  return [...refused, ...receivers.map(([label, text, accepted]) => sample(label, text, accepted))];
}

function secretSamples(): TableSample[] {
  const base64 = (bytes: number) => Buffer.alloc(bytes, CANARY).toString('base64');
  const refused: [string, string][] = [
    ['no prefix', base64(32)],
    ['another prefix', `whsk_${base64(32)}`],
    ['the prefix alone', 'whsec_'],
    ['one byte too few', `whsec_${base64(23)}`],
    ['one byte too many', `whsec_${base64(65)}`],
    ['no padding', `whsec_${base64(32).replaceAll('=', '')}`],
    ['too much padding', `whsec_${base64(32)}=`],
    ['the alphabet of URLs', `whsec_${'-_'.repeat(16)}`],
    ['a space after', `whsec_${base64(32)} `],
    ['a line break after', `whsec_${base64(32)}\n`],
    ['an empty string', ''],
    ['a slow regex match', `whsec_${'a'.repeat(50_001)}`],
  ];
  return [
    sample('the fewest bytes', `whsec_${base64(24)}`, true),
    sample('the most bytes', `whsec_${base64(64)}`, true),
    ...refused.map(([label, text]) => sample(label, text)),
    sample('zero', 0),
    sample('a secret in a list', [`whsec_${base64(32)}`]),
    ...booleans,
  ];
}

function orderIdsSamples(schema: z.ZodType): TableSample[] {
  const list = (count: number) => Array.from({ length: count }, (_, index) => `${CANARY}-${index}`).join();
  return [
    ...textSamples(schema).map((each) =>
      typeof each.value === 'string' ? { ...each, accepted: 'by schema' as const } : each,
    ),
    sample('as many ids as there may be', list(LISTED_IDS_MAX), true),
    sample('an id twice', `${CANARY},${CANARY}`, true),
    sample('an id too many', list(LISTED_IDS_MAX + 1)),
    sample('no id between two commas', `${CANARY},,${CANARY}`),
    sample('a comma at the end', `${CANARY},`),
    sample('a long id', 'x'.repeat(field.ID_CHARACTERS_MAX + 1)),
  ];
}

function periodTimesSamples(): TableSample[] {
  const times = (count: number) =>
    Array.from({ length: count }, (_, index) => new Date(index * 86_400_000).toISOString()).join();
  const refused: [string, string][] = [
    ['an empty string', ''],
    ['one time', times(1)],
    ['a time too many', times(PERIODS_MAX + 2)],
    ['a time twice', `${times(1)},${times(1)}`],
    ['times that go back', `${times(3)},${times(1)}`],
    ['a comma at the end', `${times(2)},`],
    ['a day alone', '2026-01-01,2026-01-02'],
    ['something else between the times', `${times(1)},${CANARY},${times(2)}`],
    ['very many commas', ','.repeat(5_000)],
  ];
  return [
    sample('as many times as there may be', times(PERIODS_MAX + 1), true),
    ...refused.map(([label, text]) => sample(label, text)),
    ...booleans,
  ];
}

/** Invalid encodings of a key that has this many bytes. */
function keyBytesSamples(bytes: number): TableSample[] {
  const key = (length: number, first = 4) => Buffer.alloc(length, first).toString('base64url');
  return [
    sample('a byte too few', key(bytes - 1)),
    sample('a byte too many', key(bytes + 1)),
    sample('standard base64', Buffer.alloc(bytes, 0xff).toString('base64').replace(/=+$/, '')),
    sample('with a line break', `${key(bytes)}\n`),
    sample('an empty string', ''),
    sample('words', CANARY),
    ...booleans,
  ];
}

/** Times of the future, unless they are looked back to: what expires must not have expired. */
function timeSamples({ past = false } = {}): TableSample[] {
  const refused: [string, string][] = [
    ['a date', '2999-01-01'],
    ['no milliseconds', '2999-01-01T00:00:00Z'],
    ['another zone', '2999-01-01T00:00:00.000+08:00'],
    ['no zone', '2999-01-01T00:00:00.000'],
    ['a day that does not exist', '2999-02-30T00:00:00.000Z'],
    ['words', CANARY],
    ['an empty string', ''],
  ];
  return [
    sample('a time', '2999-01-01T00:00:00.000Z', true),
    sample('a time that is past', '2020-01-01T00:00:00.000Z', past),
    ...refused.map(([label, text]) => sample(label, text)),
    sample('epoch milliseconds', 32_472_144_000_000),
    ...booleans,
  ];
}

const ENUM_WORDS_MAX = 12;

function enumSamples(schema: z.ZodType): TableSample[] {
  const { options: all } = schema as z.ZodEnum;
  // Of the countries, a few stand for all.
  const options = all.slice(0, ENUM_WORDS_MAX).map(String);
  const inOtherCase = (word: string) => (word === word.toUpperCase() ? word.toLowerCase() : word.toUpperCase());
  return [
    ...options.map((word) => sample(`the word ${word}`, word, true)),
    ...options.flatMap((word) => [
      sample(`${word} in another case`, inOtherCase(word)),
      sample(`${word} with a space`, `${word} `),
      sample(`${word} in a list`, [word]),
    ]),
    ...['', CANARY, '__proto__', 'constructor', 'toString', 'undefined', 'null', '0'].map((text) =>
      sample(`"${text}"`, text),
    ),
    sample('zero', 0),
    sample('one', 1),
    ...booleans,
  ];
}

function listSamples(schema: z.ZodType): TableSample[] {
  const { minItems = 0, maxItems = 0 } = z.toJSONSchema(schema, { unrepresentable: 'any' }) as {
    minItems?: number;
    maxItems?: number;
  };
  return [
    sample('an empty list', [], minItems === 0),
    sample('one item too many', new Literal(`[${'0,'.repeat(maxItems)}0]`)),
    sample('30,000 items', new Literal(`[${'0,'.repeat(30_000)}0]`)),
    sample('null in the list', [null]),
    sample('a list in the list', [[]]),
    sample('an object in the list', [{ [CANARY]: 1 }]),
    sample('an array-like object', new Literal('{"length":1,"0":{}}')),
    sample('a number', 1),
    sample('a string', CANARY),
    sample('33 nested lists', nested(33)),
    sample('500 nested lists', nested(500)),
    ...booleans,
  ];
}

const TOO_MANY_DETAILS = Object.fromEntries(
  Array.from({ length: DETAILS_FIELDS_MAX + 1 }, (_, index) => [`f${index}`, index]),
);
function detailSamples(): TableSample[] {
  return [
    sample('an empty object', {}, true),
    sample('strings, numbers and booleans', { a: CANARY, b: 1.5, c: false }, true),
    sample('inherited property names', new Literal('{"constructor":1,"toString":"x","valueOf":2,"then":true}'), true),
    sample('one field too many', TOO_MANY_DETAILS),
    sample('one byte too many', { a: 'x'.repeat(DETAILS_BYTES_MAX) }),
    sample('an empty field name', { '': 1 }),
    sample('__proto__', new Literal('{"__proto__":{"a":1}}')),
    sample('__proto__ as a string', new Literal('{"__proto__":"x"}')),
    sample('null in it', { a: null }),
    sample('a list in it', { a: [1] }),
    sample('an object in it', { a: { b: 1 } }),
    sample('an infinite number', new Literal('{"a":1e400}')),
    sample('a NUL in a string', { a: `${CANARY}\u0000` }),
    sample('a NUL in a name', new Literal('{"a\\u0000":1}')),
    sample('a lone high surrogate', new Literal('{"a":"\\ud800"}')),
    sample('a list', []),
    sample('a string', CANARY),
    sample('a number', 0),
    sample('null', null),
    sample('33 nested objects', nested(33, '{"a":', '}', '1')),
    ...booleans,
  ];
}

const objectSamples = [
  sample('an empty object', {}, 'by schema'),
  sample('a list', []),
  sample('a string', CANARY),
  sample('a number', 1),
  ...booleans,
];

/** The root schema: zod adds descriptions and limits to copies, which link to their parent. */
function originOf(schema: z.ZodType): z.core.$ZodType {
  let origin: z.core.$ZodType = schema;
  while (origin._zod.parent) origin = origin._zod.parent;
  return origin;
}
const descendsFrom = (ancestor: z.ZodType) => {
  const origin = originOf(ancestor);
  return (schema: z.ZodType) => originOf(schema) === origin;
};
const isCopyOf = (ancestor: z.ZodType) => (schema: z.ZodType) => {
  for (let each: z.core.$ZodType | undefined = schema; each; each = each._zod.parent) {
    if (each === ancestor) return true;
  }
  return false;
};
const isNewId = isCopyOf(field.newId);
const isFilterTime = isCopyOf(filterTime);
const isSized = (schema: z.ZodType) => schema instanceof z.ZodString && schema.meta()?.maxLength !== undefined;

/** In order of precedence. */
const kinds: Kind[] = [
  {
    name: 'new id',
    matches: isNewId,
    samples: (schema) => [...wrongTypes, ...textSamples(schema, { trimmed: true, isNewId: true })],
  },
  {
    name: 'id',
    matches: descendsFrom(field.userId),
    samples: (schema) => [...wrongTypes, ...textSamples(schema, { trimmed: true })],
  },
  {
    name: 'order id',
    matches: descendsFrom(field.orderId),
    samples: (schema) => [...wrongTypes, ...orderIdSamples(schema)],
  },
  { name: 'key', matches: descendsFrom(field.key), samples: () => [...wrongTypes, ...keySamples()] },
  { name: 'URL', matches: descendsFrom(coverUrl), samples: (schema) => [...wrongTypes, ...urlSamples(schema)] },
  {
    name: 'receiver',
    matches: descendsFrom(receiverUrl),
    samples: (schema) => [...wrongTypes, ...receiverSamples(schema)],
  },
  { name: 'secret', matches: descendsFrom(webhookSecret), samples: () => [...wrongTypes, ...secretSamples()] },
  { name: 'public key', matches: descendsFrom(p256dh), samples: () => [...wrongTypes, ...keyBytesSamples(65)] },
  { name: 'shared secret', matches: descendsFrom(pushAuth), samples: () => [...wrongTypes, ...keyBytesSamples(16)] },
  { name: 'details', matches: descendsFrom(details), samples: detailSamples },
  {
    name: 'order ids',
    matches: descendsFrom(orderIds),
    samples: (schema) => [...wrongTypes, ...orderIdsSamples(schema)],
  },
  { name: 'period times', matches: descendsFrom(periodTimes), samples: () => [...wrongTypes, ...periodTimesSamples()] },
  { name: 'time of either', matches: isFilterTime, samples: () => [...wrongTypes, ...timeSamples({ past: true })] },
  {
    name: 'time',
    matches: (schema) => schema instanceof z.ZodISODateTime,
    samples: (schema) => [...wrongTypes, ...timeSamples({ past: !/expires/.test(schema.description ?? '') })],
  },
  { name: 'text', matches: isSized, samples: (schema) => [...wrongTypes, ...textSamples(schema)] },
  {
    name: 'integer',
    matches: (schema) => schema.meta()?.type === 'integer',
    samples: (schema) => [...wrongTypes, ...booleans, ...numberSamples(schema)],
  },
  {
    name: 'enum',
    matches: (schema) => schema instanceof z.ZodEnum,
    samples: (schema) => [...wrongTypes, ...enumSamples(schema)],
  },
  {
    name: 'boolean',
    matches: (schema) => schema instanceof z.ZodBoolean,
    samples: () => [
      ...wrongTypes,
      ...booleans.map(({ label, value }) => sample(label, value, true)),
      ...['true', 'false', '', '0', '1', CANARY].map((text) => sample(`the string "${text}"`, text)),
      ...[0, 1].map((number) => sample(`the number ${number}`, number)),
      sample('a boolean in a list', [true]),
    ],
  },
  {
    name: 'list',
    matches: (schema) => schema instanceof z.ZodArray,
    samples: (schema) => [...wrongTypes, ...listSamples(schema)],
  },
];

/** A field of a message, at any depth. */
export interface Field {
  path: string[];
  kind: string;
  samples: Sample[];
  required: boolean;
}

/** Every field of a schema, including those in lists and nested objects. Throws for a field of an unknown kind. */
export function fieldsOf(shape: z.ZodType, path: string[] = []): Field[] {
  const required = !(shape instanceof z.ZodOptional);
  const schema = shape instanceof z.ZodOptional ? (shape.unwrap() as z.ZodType) : shape;
  if (schema instanceof z.ZodNullable) return [nullable(schema, path, required)];
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries(schema.shape as Record<string, z.ZodType>);
    const inside = fields.flatMap(([name, content]) => fieldsOf(content, [...path, name]));
    // generic.table.ts covers the message itself.
    if (path.length === 0) return inside;
    const samples = [...wrongTypes, ...objectSamples].map((each) => resolve(each, schema));
    return [{ path, kind: 'object', samples, required }, ...inside];
  }
  const kind = kinds.find(({ matches }) => matches(schema));
  if (!kind) throw new Error(`No kind matches the field ${path.join('.')}`);
  const ownField = {
    path,
    kind: kind.name,
    samples: kind.samples(schema).map((each) => resolve(each, schema)),
    required,
  };
  return schema instanceof z.ZodArray
    ? [ownField, ...fieldsOf(schema.element as z.ZodType, [...path, '0']).map(inList)]
    : [ownField];
}

/** A time or an integer that may be null. */
function nullable(schema: z.ZodNullable, path: string[], required: boolean): Field {
  const inner = schema.unwrap() as z.ZodType;
  const isTime = inner instanceof z.ZodISODateTime;
  if (!isTime && inner.meta()?.type !== 'integer') throw new Error(`No kind matches the field ${path.join('.')}`);
  const own = isTime ? timeSamples({ past: true }) : [...booleans, ...numberSamples(inner)];
  const others = wrongTypes.filter(({ value }) => value !== null);
  const samples = [sample('null', null, true), ...others, ...own].map((each) => resolve(each, inner));
  return { path, kind: isTime ? 'time or null' : 'integer or null', samples, required };
}

/** List items are optional: a list without one is still valid. */
function inList(inside: Field): Field {
  return { ...inside, required: inside.required && !/^\d+$/.test(inside.path.at(-1) ?? '') };
}

function resolve({ label, value, accepted }: TableSample, schema: z.ZodType): Sample {
  return { label, value, accepted: accepted === 'by schema' ? schema.safeParse(value).success : accepted };
}
