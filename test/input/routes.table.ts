import { gzipSync } from 'node:zlib';
import type { RefusalCode } from '../../src/contract/errors.js';
import { type RouteRow, takesKey } from '../../src/contract/row.js';
import { FRAME_BYTES_MAX, KEY_HEADER } from '../../src/contract/wire.js';
import { refusedOffers } from './catalogue.js';
import { type Field, fieldsOf, type Offer } from './fields.table.js';
import { insteadOf, unlistedIn } from './generic.table.js';
import { untimelyFor } from './life.table.js';
import { type HttpRequest, httpOf, json, type Row } from './rows.js';
import type { Stage } from './stage.js';
import { Attachment, CANARY, Literal, nested, withValue, written } from './values.js';

/** The catalogue over HTTP: the same tables, and what only HTTP has. */
export interface RouteCase {
  says: string;
  request: HttpRequest;
  /** Who asks, if not the one whom the contract names; nobody is the empty text. */
  token?: string;
  expects: { code: RefusalCode; at?: string } | 'an answer';
}

export interface RouteGroup {
  name: string;
  takesEffect?: true;
  cases: (stage: Stage) => RouteCase[];
}

const BAD = { code: 'BAD_MESSAGE' } as const;
/** What a head may hold is for Node to say: longer ones are tried at the door. */
const IN_THE_HEAD_MAX = 8_000;

export function routeGroupsOf(row: Row): RouteGroup[] {
  const { route } = row;
  if (!route) throw new Error(`${row.name} is no route`);
  const valid = (stage: Stage) => stage.validFor(row);
  const fields = fieldsOf(row.request);
  const groups: RouteGroup[] = [
    ...fields.map((field) => ({
      name: `in the place of ${field.path.join('.')} (${field.kind})`,
      cases: (stage: Stage) => refusedFields(route, field, valid(stage)),
    })),
    { name: 'with a field that is not listed', cases: (stage) => unlisted(route, valid(stage)) },
    { name: 'with a body that is none', cases: (stage) => bodies(route, valid(stage)) },
    { name: 'with another method', cases: (stage) => methods(route, valid(stage)) },
    { name: 'with a path that cannot be read', cases: (stage) => paths(route, valid(stage)) },
    { name: 'with a token that is none', cases: (stage) => tokens(route, stage.actorOf(row).token, valid(stage)) },
    { name: 'with a key that is none', cases: (stage) => keys(route, valid(stage)) },
    { name: 'at the wrong time, or by the wrong party', cases: (stage) => untimely(route, stage) },
    {
      name: 'that is taken, though it looks strange',
      takesEffect: true,
      cases: (stage) => fields.flatMap((field) => takenFields(route, field, () => valid(stage))),
    },
  ];
  return groups;
}

function refusedFields(route: RouteRow, field: Field, valid: Record<string, unknown>): RouteCase[] {
  return refusedOffers(field, valid)
    .filter(({ value }) => fits(route, field, value))
    .map(({ says, message, at }) => ({
      says,
      request: httpOf(route, message as Record<string, unknown>),
      expects: { ...BAD, at },
    }));
}

function takenFields(route: RouteRow, field: Field, valid: () => Record<string, unknown>): RouteCase[] {
  const isTaken = ({ taken, value }: Offer) =>
    taken && fits(route, field, value) && (!isQueryNumber(route, field) || CANONICAL.test(String(textOf(value))));
  return field.offers.filter(isTaken).map(({ says, value }) => ({
    says: `${field.path.join('.')}: ${says}`,
    request: httpOf(route, withValue(valid(), field.path, value) as Record<string, unknown>),
    expects: 'an answer',
  }));
}

const CANONICAL = /^(0|[1-9]\d*)$/;
const isQueryNumber = ({ numbers }: RouteRow, { path }: Field) => numbers?.includes(path[0] ?? '') ?? false;
const textOf = (value: unknown) => (value instanceof Literal ? value.json : value);

/** Whether a value can stand where this route has the field: a path and a query hold texts only. */
function fits(route: RouteRow, field: Field, value: unknown): boolean {
  const inPath = route.path.includes(`:${field.path[0]}`);
  if (!inPath && route.method !== 'GET') return !(value instanceof Attachment);
  if (isQueryNumber(route, field)) {
    const text = textOf(value);
    // What is the text of a number in JSON is the number itself in a query.
    return typeof text === 'string' && (value instanceof Literal ? /^-?\d/.test(text) : !CANONICAL.test(text));
  }
  if (typeof value !== 'string' || encodeURIComponent(value).length > IN_THE_HEAD_MAX)
    return value === undefined && !inPath;
  return !inPath || value !== '';
}

function unlisted(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  const inAddress = (name: string): RouteCase => {
    const request = httpOf(route, valid);
    const query = `${request.path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${CANARY}`;
    return {
      says: `${JSON.stringify(name)} in the address`,
      request: { ...request, path: request.path + query },
      expects: { ...BAD, at: name },
    };
  };
  const names = [CANARY, '__proto__', 'constructor', 'toString', 'limit[]', 'a.b', 'a[b]', 'userId', 'token'];
  const inBody = unlistedIn(valid).map(
    ({ says, message, at }): RouteCase => ({ says, request: httpOf(route, message), expects: { ...BAD, at } }),
  );
  return [...names.map(inAddress), ...(route.method === 'GET' ? [bodyOfGet(route, valid)] : inBody)];
}

function bodyOfGet(route: RouteRow, valid: Record<string, unknown>): RouteCase {
  const { path } = httpOf(route, valid);
  return { says: 'a body', request: json('GET', path, written({ [CANARY]: 1 })), expects: { ...BAD, at: CANARY } };
}

/** In the place of the whole body: nothing that is an object, or nothing that can be read. */
function bodies(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  if (route.method === 'GET') return [];
  const { method, path, body = '' } = httpOf(route, valid);
  const refused = (says: string, content: string | Buffer, headers: Record<string, string> = {}): RouteCase => {
    const request = json(method, path, content);
    return { says, request: { ...request, headers: { ...request.headers, ...headers } }, expects: BAD };
  };
  const instead = insteadOf(valid).filter(({ args }) => args.length === 1 && written(args[0]).length < FRAME_BYTES_MAX);
  return [
    ...instead.flatMap(({ says, args: [value] }) => (hasBytes(value) ? [] : [refused(says, written(value))])),
    refused('JSON that breaks off', '{"a":'),
    refused('JSON with something after it', `${body}}`),
    refused('single quotes', "{'a':1}"),
    refused('a comment', '/**/{"a":1}'),
    refused('noise', Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 37) % 256))),
    refused('bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])),
    refused('a byte more than may be', `${body}`.padEnd(FRAME_BYTES_MAX + 1, ' ')),
    refused('a megabyte', `{"a":"${'x'.repeat(1_048_576)}"}`),
    refused('a megabyte, compressed', gzipSync(`{"a":"${'x'.repeat(1_048_576)}"}`), { 'content-encoding': 'gzip' }),
    refused('what is not compressed as it says', '{"a":1}', { 'content-encoding': 'gzip' }),
    refused('a compression that there is not', '{"a":1}', { 'content-encoding': CANARY }),
    refused('letters that there are not', '{"a":1}', { 'content-type': `application/json; charset=${CANARY}` }),
    refused('a form', `a=${CANARY}`, { 'content-type': 'application/x-www-form-urlencoded' }),
    refused('a text', '{"a":1}', { 'content-type': 'text/plain' }),
    refused('a type that cannot be read', '{"a":1}', { 'content-type': ';;;' }),
    refused('30,000 lists', nested(30_000).json),
  ];
}

function hasBytes(value: unknown): boolean {
  return value instanceof Attachment || (Array.isArray(value) && value.some(hasBytes));
}

/** Methods that the contract has for no path. */
function methods(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  const { path, headers, body } = httpOf(route, valid);
  return ['PUT', 'DELETE', 'PROPFIND', 'TRACE', 'PURGE'].map((method) => ({
    says: method,
    request: { method, path, headers, body: method === 'TRACE' ? undefined : body },
    expects: { code: 'UNKNOWN_MESSAGE' },
  }));
}

/** Percent signs that lead nowhere, in the place of what the path names. */
function paths(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  if (!route.path.includes(':')) return [];
  const { method, path, headers, body } = httpOf(route, {
    ...valid,
    ...Object.fromEntries(namesIn(route).map((name) => [name, MARK])),
  });
  return ['%', '%ZZ', '%ED%A0%80', '%C0%80', '%FF', '%u0041'].map((bad) => ({
    says: bad,
    request: { method, path: path.replaceAll(MARK, bad), headers, body },
    expects: BAD,
  }));
}
const MARK = 'mark';
const namesIn = ({ path }: RouteRow) => [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);

function tokens(route: RouteRow, token: string, valid: Record<string, unknown>): RouteCase[] {
  if (route.open) return [];
  const request = httpOf(route, valid);
  const bearing = (says: string, authorization?: string): RouteCase => ({
    says,
    request: { ...request, headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) } },
    token: '',
    expects: { code: 'UNAUTHENTICATED' },
  });
  return [
    bearing('none'),
    bearing('nothing', ''),
    bearing('the scheme alone', 'Bearer'),
    bearing('another scheme', `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`),
    bearing('no scheme', token),
    bearing('a token that nobody has', `Bearer ${'A'.repeat(43)}`),
    bearing('the token and a letter', `Bearer ${token}A`),
    bearing('half of the token', `Bearer ${token.slice(0, 20)}`),
    bearing('the token twice', `Bearer ${token} ${token}`),
    bearing('a condition', `Bearer ' OR '1'='1`),
    bearing('the word null', 'Bearer null'),
    bearing('letters of another alphabet', 'Bearer \u00e9\u00ff'),
    bearing('8 KB', `Bearer ${'A'.repeat(IN_THE_HEAD_MAX)}`),
  ];
}

/** The key in its header, where it has one. */
function keys(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  if (!takesKey(route)) return [];
  const { key: _, ...without } = valid;
  const bearing = (says: string, key: string, message = without): RouteCase => {
    const request = httpOf(route, message);
    return {
      says,
      request: { ...request, headers: { ...request.headers, [KEY_HEADER]: key } },
      expects: { ...BAD, at: 'key' },
    };
  };
  return [
    bearing('nothing', ''),
    bearing('a space inside', `${CANARY} 1`),
    bearing('one too much', 'k'.repeat(65)),
    bearing('8 KB', 'k'.repeat(IN_THE_HEAD_MAX)),
    bearing('an accent', `${CANARY}\u00e9`),
    bearing('another one than in the body', CANARY, valid),
    bearing('one, where the body has a number', '1', { ...valid, key: 1 }),
  ];
}

function untimely(route: RouteRow, stage: Stage): RouteCase[] {
  const command = /(\w+)$/.exec(route.path === '/orders' && route.method === 'POST' ? 'place' : route.path)?.[1] ?? '';
  return untimelyFor(command, stage).map(({ says, by, message, code }) => ({
    says,
    request: httpOf(route, message),
    token: stage.scene.people[by].token,
    expects: { code },
  }));
}
