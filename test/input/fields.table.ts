import { z } from 'zod';
import { coverUrl, DETAILS_BYTES_MAX, DETAILS_FIELDS_MAX, details } from '../../src/contract/book.fields.js';
import * as field from '../../src/contract/fields.js';
import { Attachment, CANARY, Literal, nested } from './values.js';

/** A value for one field, and whether the contract takes it there. */
export interface Offer {
  says: string;
  value: unknown;
  taken: boolean;
}
/** The same in a table. Where it is up to the field, its own shape decides. */
interface Offered extends Omit<Offer, 'taken'> {
  taken: boolean | 'by its shape';
}

/** A kind of field: how it is told from the others, and what is offered to it. */
interface Kind {
  name: string;
  is: (schema: z.ZodType) => boolean;
  offers: (schema: z.ZodType) => Offered[];
}

const offer = (says: string, value: unknown, taken: Offered['taken'] = false): Offered => ({ says, value, taken });

/** What no field takes: values of another type than any that the contract has. */
const foreign: Offered[] = [
  offer('null', null),
  offer('an object', { [CANARY]: CANARY }),
  offer('an operator of a query', { $ne: 1 }),
  offer('an operator that compares', { $gt: '' }),
  offer('an operator of the mapper', { '@instanceof': 'FindOperator', _type: 'not', _value: 1 }),
  offer('the prototype', new Literal(`{"__proto__":{"length":1,"${CANARY}":1}}`)),
  offer('the constructor', new Literal('{"constructor":{"prototype":{"isAdmin":true}}}')),
  offer('what could be awaited', new Literal(`{"then":"${CANARY}"}`)),
  offer('what could write itself', { toJSON: CANARY, toString: CANARY, valueOf: 1 }),
  offer('a placeholder without its bytes', new Literal('{"_placeholder":true,"num":0}')),
  offer('bytes', new Attachment(Buffer.from(CANARY))),
  offer('a list within lists', nested(33)),
];
const booleans = [offer('true', true), offer('false', false)];

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

function numberOffers(schema: z.ZodType): Offered[] {
  const {
    minimum = 0,
    maximum = 0,
    not,
  } = schema.meta() as { minimum?: number; maximum?: number; not?: { const: number } };
  const isTaken = (value: number) =>
    Number.isSafeInteger(value) && value >= minimum && value <= maximum && value !== not?.const;
  const edges = [minimum, minimum - 1, maximum, maximum + 1].map(String);
  return [
    ...[...new Set([...NUMBERS, ...edges])].map((json) => offer(json, new Literal(json), isTaken(Number(json)))),
    ...NUMBERS_AS_TEXT.map((text) => offer(`the text "${text}"`, text)),
    offer('a number in a list', [5]),
    offer('an empty list', []),
  ];
}

/** Texts that have hurt others: taken as they are, wherever they are short enough and hold nothing that is refused. */
const HARMLESS_HERE: [says: string, text: string][] = [
  ['a quote that ends a statement', `${CANARY}' OR 1=1 -- `.trim()],
  ['a table that is dropped', `"; DROP TABLE orders; -- ${CANARY}`],
  ['an escaped quote', `\\' OR ${CANARY}`],
  ['a number in hexadecimal', '0x31'],
  ['a comment that is carried out', '/*!50000 1*/'],
  ['a template', '\u0024{7*7}{{7*7}}#{7*7}'],
  ['a format', '%s%n%d%x'],
  ['markup', `<img src=x onerror=alert('${CANARY}')>`],
  ['a formula', '=HYPERLINK("http://evil.example")'],
  ['a script as an address', 'javascript:alert(1)'],
  ['a way out of the folder', '../../etc/passwd'],
  ['the word null', 'null'],
  ['the word undefined', 'undefined'],
  ['the name of the prototype', '__proto__'],
  ['the name of the constructor', 'constructor'],
  ['an accent that is a letter of its own', 'e\u0301'],
  ['the same accent in one letter', 'é'],
  ['letters of full width', 'ａｄｍｉｎ'],
  ['the Turkish i', 'ADMİN ı'],
  ['the German s', 'ß SS'],
  ['a flag', '🇨🇳'],
  ['a family', '👨‍👩‍👧‍👦'],
  ['marks without a letter', '\u0301'.repeat(30)],
  ['an order from right to left', 'a\u202eb'],
  ['a space without width inside', 'a\u200bb'],
  ['a line separator inside', 'a\u2028b'],
];
const CONTROLS: [says: string, text: string][] = [
  ['a zero inside', `a\u0000${CANARY}`],
  ['a line of the log', `${CANARY}\r\n{"level":50,"msg":"fault"}`],
  ['a colour of the terminal', `\u001b[31m${CANARY}`],
  ['a tab', 'a\tb'],
  ['a control of the second kind', 'a\u0085b'],
];

function textOffers(schema: z.ZodType, { trimmed = false }: { trimmed?: boolean } = {}): Offered[] {
  const { minLength = 0, maxLength = 0 } = schema.meta() as { minLength?: number; maxLength?: number };
  const filled = (length: number) => CANARY.padEnd(length, 'x').slice(0, length);
  const isTaken = (text: string) => {
    const length = field.characters(text);
    return length >= minLength && length <= maxLength && (!trimmed || text.trim() === text);
  };
  const sized = (says: string, text: string) => offer(says, text, isTaken(text));
  return [
    ...HARMLESS_HERE.map(([says, text]) => sized(says, text)),
    // Some texts may hold line breaks, and passwords anything: their own shapes say so.
    ...CONTROLS.map(([says, text]) => offer(says, text, isTaken(text) ? 'by its shape' : false)),
    sized('nothing', ''),
    sized('a space', ' '),
    sized('a space before', ` ${filled(Math.max(minLength, 8))}`),
    sized('a space after', `${filled(Math.max(minLength, 8))} `),
    sized('a space without a break after', `${filled(Math.max(minLength, 8))}\u00a0`),
    sized('a mark of byte order before', `\ufeff${filled(Math.max(minLength, 8))}`),
    sized('as much as may be', filled(maxLength)),
    sized('one too much', filled(maxLength + 1)),
    sized('as much as may be, of four bytes each', '😀'.repeat(Math.min(maxLength, 10_000))),
    sized('one too much, of four bytes each', '😀'.repeat(Math.min(maxLength, 10_000) + 1)),
    sized('what takes long to match', `${'a'.repeat(50_000)}!`),
    offer('half of a character', new Literal(`"${filled(8)}\\ud800"`)),
    offer('the other half', new Literal(`"\\udc00${filled(8)}"`)),
    offer('zero', 0),
    offer('a number', 1.5),
    offer('a text in a list', [CANARY]),
    offer('zero in a list', [0]),
    ...booleans,
  ];
}

const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
function keyOffers(): Offered[] {
  return [
    offer('as long as may be', `${CANARY}-${visible.join('')}`.slice(0, field.KEY_CHARACTERS_MAX), true),
    offer('one character', '!', true),
    offer('the name of the prototype', '__proto__', true),
    offer('a quote that ends a statement', `'OR/**/1=1--${CANARY}`, true),
    ...[
      ['nothing', ''],
      ['one too much', 'k'.repeat(field.KEY_CHARACTERS_MAX + 1)],
      ['300 characters', 'k'.repeat(300)],
      ['a space inside', `${CANARY} 1`],
      ['a space after', `${CANARY} `],
      ['a line break after', `${CANARY}\n`],
      ['a zero after', `${CANARY}\u0000`],
      ['the last control', `${CANARY}\u007f`],
      ['an accent', `${CANARY}é`],
      ['a Chinese character', '键'],
      ['letters of full width', 'ｋｅｙ'],
      ['an emoji', '🔑'],
      ['a space without width', `${CANARY}\u200b`],
      ['what takes long to match', `${'a'.repeat(50_000)}\n`],
    ].map(([says = '', text]) => offer(says, text)),
    offer('half of a character', new Literal(`"${CANARY}\\ud800"`)),
    offer('zero', 0),
    offer('a number', 1.5),
    offer('a key in a list', [CANARY]),
    ...booleans,
  ];
}

/** Any text in the place of an order's id is an order that is not there; only how long it is counts. */
function orderIdOffers(schema: z.ZodType): Offered[] {
  const { maxLength = 0 } = schema.meta() as { maxLength?: number };
  const texts = textOffers(schema).map(({ says, value, taken }) => {
    const text = value instanceof Literal ? (JSON.parse(value.json) as string) : value;
    return offer(says, value, typeof text === 'string' ? field.characters(text) <= maxLength : taken);
  });
  const uuid = '01900000-0000-7000-8000-000000000000';
  const look: [string, string][] = [
    ['an id that was never given', uuid],
    ['one without dashes', uuid.replaceAll('-', '')],
    ['one in braces', `{${uuid}}`],
    ['the id of nothing', '00000000-0000-0000-0000-000000000000'],
    ['an id of another kind', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
    ['a condition', '1 or 1=1'],
    ['a number with letters', '1abc'],
    ['below zero', '-1'],
  ];
  return [...texts, ...look.map(([says, text]) => offer(says, text, true)), offer('two in a list', [uuid, uuid])];
}

const addresses: [says: string, text: string, taken: boolean][] = [
  ['a script', 'javascript:alert(1)', false],
  ['a script in other letters', 'JaVaScRiPt:alert(1)', false],
  ['data', 'data:text/html,<script>alert(1)</script>', false],
  ['a file', 'file:///etc/passwd', false],
  ['another host as a path', '//evil.example/x.png', false],
  ['another host behind a backslash', '\\\\evil.example/x.png', false],
  ['no host', 'http://', false],
  ['a path', '/covers/x.png', true],
  ['an address', `https://covers.example/${CANARY}.png`, true],
];

function addressOffers(schema: z.ZodType): Offered[] {
  const refused = textOffers(schema).filter(({ taken }) => taken === false);
  return [...refused, ...addresses.map(([says, text, taken]) => offer(says, text, taken))];
}

function wordOffers(schema: z.ZodType): Offered[] {
  const { options } = schema as z.ZodEnum;
  return [
    ...options.map((word) => offer(`the word ${word}`, word, true)),
    ...options.flatMap((word) => [
      offer(`${word} in capitals`, String(word).toUpperCase()),
      offer(`${word} with a space`, `${word} `),
      offer(`${word} in a list`, [word]),
    ]),
    ...['', CANARY, '__proto__', 'constructor', 'toString', 'undefined', 'null', '0'].map((text) =>
      offer(`"${text}"`, text),
    ),
    offer('zero', 0),
    offer('one', 1),
    ...booleans,
  ];
}

function listOffers(schema: z.ZodType): Offered[] {
  const { minItems = 0, maxItems = 0 } = z.toJSONSchema(schema, { unrepresentable: 'any' }) as {
    minItems?: number;
    maxItems?: number;
  };
  return [
    offer('an empty list', [], minItems === 0),
    offer('one too many', new Literal(`[${'0,'.repeat(maxItems)}0]`)),
    offer('30,000 of nothing', new Literal(`[${'0,'.repeat(30_000)}0]`)),
    offer('nothing in the list', [null]),
    offer('a list in the list', [[]]),
    offer('an object in the list', [{ [CANARY]: 1 }]),
    offer('what looks like a list', new Literal('{"length":1,"0":{}}')),
    offer('a number', 1),
    offer('a text', CANARY),
    offer('33 lists', nested(33)),
    offer('500 lists', nested(500)),
    ...booleans,
  ];
}

const DETAILS_TOO_MANY = Object.fromEntries(
  Array.from({ length: DETAILS_FIELDS_MAX + 1 }, (_, index) => [`f${index}`, index]),
);
function detailOffers(): Offered[] {
  return [
    offer('nothing in it', {}, true),
    offer('texts, numbers and booleans', { a: CANARY, b: 1.5, c: false }, true),
    offer('names of every object', new Literal('{"constructor":1,"toString":"x","valueOf":2,"then":true}'), true),
    offer('a field too many', DETAILS_TOO_MANY),
    offer('a byte too many', { a: 'x'.repeat(DETAILS_BYTES_MAX) }),
    offer('a field without a name', { '': 1 }),
    offer('the prototype', new Literal('{"__proto__":{"a":1}}')),
    offer('the prototype as a text', new Literal('{"__proto__":"x"}')),
    offer('null in it', { a: null }),
    offer('a list in it', { a: [1] }),
    offer('an object in it', { a: { b: 1 } }),
    offer('a number beyond all numbers', new Literal('{"a":1e400}')),
    offer('a zero in a text', { a: `${CANARY}\u0000` }),
    offer('a zero in a name', new Literal('{"a\\u0000":1}')),
    offer('half of a character', new Literal('{"a":"\\ud800"}')),
    offer('a list', []),
    offer('a text', CANARY),
    offer('a number', 0),
    offer('null', null),
    offer('33 objects', nested(33, '{"a":', '}', '1')),
    ...booleans,
  ];
}

const shapeOffers = [
  offer('nothing in it', {}, 'by its shape'),
  offer('a list', []),
  offer('a text', CANARY),
  offer('a number', 1),
  ...booleans,
];

/** The first ancestor of a shape: a description and a limit are added to a copy, which knows what it was copied from. */
function originOf(schema: z.ZodType): z.core.$ZodType {
  let origin: z.core.$ZodType = schema;
  while (origin._zod.parent) origin = origin._zod.parent;
  return origin;
}
const descendsFrom = (ancestor: z.ZodType) => {
  const origin = originOf(ancestor);
  return (schema: z.ZodType) => originOf(schema) === origin;
};
const isSized = (schema: z.ZodType) => schema instanceof z.ZodString && schema.meta()?.maxLength !== undefined;

/** The first kind that a field is of is its kind. */
const kinds: Kind[] = [
  {
    name: 'id',
    is: descendsFrom(field.userId),
    offers: (schema) => [...foreign, ...textOffers(schema, { trimmed: true })],
  },
  { name: 'order id', is: descendsFrom(field.orderId), offers: (schema) => [...foreign, ...orderIdOffers(schema)] },
  { name: 'key', is: descendsFrom(field.key), offers: () => [...foreign, ...keyOffers()] },
  { name: 'address', is: descendsFrom(coverUrl), offers: (schema) => [...foreign, ...addressOffers(schema)] },
  { name: 'details', is: descendsFrom(details), offers: detailOffers },
  { name: 'text', is: isSized, offers: (schema) => [...foreign, ...textOffers(schema)] },
  {
    name: 'whole number',
    is: (schema) => schema.meta()?.type === 'integer',
    offers: (schema) => [...foreign, ...booleans, ...numberOffers(schema)],
  },
  {
    name: 'word',
    is: (schema) => schema instanceof z.ZodEnum,
    offers: (schema) => [...foreign, ...wordOffers(schema)],
  },
  {
    name: 'list',
    is: (schema) => schema instanceof z.ZodArray,
    offers: (schema) => [...foreign, ...listOffers(schema)],
  },
];

/** A field of a message, wherever it stands in it. */
export interface Field {
  path: string[];
  kind: string;
  offers: Offer[];
  /** A message without it is no message. */
  required: boolean;
}

/** Every field of a shape, those too that stand in lists and in other shapes. A field of no known kind stops the tests. */
export function fieldsOf(shape: z.ZodType, path: string[] = []): Field[] {
  const required = !(shape instanceof z.ZodOptional);
  const schema = shape instanceof z.ZodOptional ? (shape.unwrap() as z.ZodType) : shape;
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries(schema.shape as Record<string, z.ZodType>);
    const inside = fields.flatMap(([name, content]) => fieldsOf(content, [...path, name]));
    // The message itself is offered other things: see generic.table.ts.
    if (path.length === 0) return inside;
    const offers = [...foreign, ...shapeOffers].map((each) => decided(each, schema));
    return [{ path, kind: 'shape', offers, required }, ...inside];
  }
  const kind = kinds.find(({ is }) => is(schema));
  if (!kind) throw new Error(`There is no table for the field ${path.join('.')}`);
  const own = { path, kind: kind.name, offers: kind.offers(schema).map((each) => decided(each, schema)), required };
  return schema instanceof z.ZodArray
    ? [own, ...fieldsOf(schema.element as z.ZodType, [...path, '0']).map(inList)]
    : [own];
}

/** A list without one of its items is another list. */
function inList(inside: Field): Field {
  return { ...inside, required: inside.required && !/^\d+$/.test(inside.path.at(-1) ?? '') };
}

function decided({ says, value, taken }: Offered, schema: z.ZodType): Offer {
  return { says, value, taken: taken === 'by its shape' ? schema.safeParse(value).success : taken };
}
