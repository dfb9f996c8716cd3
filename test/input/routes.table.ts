import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../src/contract/errors.js';
import { type RouteRow, takesKey } from '../../src/contract/row.js';
import { FRAME_BYTES_MAX, KEY_HEADER } from '../../src/contract/wire.js';
import { rejectedSamples } from './catalogue.js';
import { type Field, fieldsOf, type Sample } from './fields.table.js';
import type { Fixture } from './fixture.js';
import { unlistedFields, wholeMessages } from './generic.table.js';
import { refusedCommandsFor } from './life.table.js';
import { type HttpRequest, httpOf, jsonRequest, type Row, routeRows } from './rows.js';
import { Attachment, CANARY, Literal, nested, toJson, withValue } from './values.js';

/** The catalogue over HTTP: the same tables, plus cases that only HTTP has. */
export interface RouteCase {
  label: string;
  request: HttpRequest;
  /** Another sender than the one that the contract requires; empty for none. */
  token?: string;
  expects: { code: ErrorCode; at?: string } | 'an answer';
}

export interface RouteGroup {
  name: string;
  takesEffect?: true;
  cases: (fixture: Fixture) => RouteCase[];
}

const BAD = { code: 'BAD_MESSAGE' } as const;
/** Node limits the head's size; larger ones are tested with the handshake. */
const HEAD_VALUE_MAX = 8_000;

export function routeGroupsOf(row: Row): RouteGroup[] {
  const { route } = row;
  if (!route) throw new Error(`${row.name} is no route`);
  const valid = (fixture: Fixture) => fixture.validFor(row);
  const fields = fieldsOf(row.request);
  const groups: RouteGroup[] = [
    ...fields.map((field) => ({
      name: `as ${field.path.join('.')} (${field.kind})`,
      cases: (fixture: Fixture) => rejectedFields(route, field, valid(fixture)),
    })),
    { name: 'with an unlisted field', cases: (fixture) => unlisted(route, valid(fixture)) },
    { name: 'with an invalid body', cases: (fixture) => bodies(route, valid(fixture)) },
    { name: 'with another method', cases: (fixture) => methods(route, valid(fixture)) },
    { name: 'with an invalid path', cases: (fixture) => paths(route, valid(fixture)) },
    { name: 'with an invalid token', cases: (fixture) => tokens(route, fixture.senderOf(row).token, valid(fixture)) },
    { name: 'with an invalid key', cases: (fixture) => keys(route, valid(fixture)) },
    { name: 'in the wrong status or by the wrong role', cases: (fixture) => refusedCommands(route, fixture) },
    {
      name: 'that is unusual but valid',
      takesEffect: true,
      cases: (fixture) => fields.flatMap((field) => acceptedFields(route, field, () => valid(fixture))),
    },
  ];
  return groups;
}

function rejectedFields(route: RouteRow, field: Field, valid: Record<string, unknown>): RouteCase[] {
  return rejectedSamples(field, valid)
    .filter(({ value }) => fits(route, field, value))
    .map(({ label, message, at }) => ({
      label,
      request: httpOf(route, message as Record<string, unknown>),
      expects: { ...BAD, at },
    }));
}

function acceptedFields(route: RouteRow, field: Field, valid: () => Record<string, unknown>): RouteCase[] {
  const isAccepted = ({ accepted, value }: Sample) =>
    accepted && fits(route, field, value) && (!isQueryNumber(route, field) || CANONICAL.test(String(textOf(value))));
  return field.samples.filter(isAccepted).map(({ label, value }) => ({
    label: `${field.path.join('.')}: ${label}`,
    request: httpOf(route, withValue(valid(), field.path, value) as Record<string, unknown>),
    expects: 'an answer',
  }));
}

const CANONICAL = /^(0|[1-9]\d*)$/;
const isQueryNumber = ({ numericQuery }: RouteRow, { path }: Field) => numericQuery?.includes(path[0] ?? '') ?? false;
const textOf = (value: unknown) => (value instanceof Literal ? value.json : value);

/** Whether the route can carry the value in this field: paths and queries hold strings only. */
function fits(route: RouteRow, field: Field, value: unknown): boolean {
  const inPath = route.path.includes(`:${field.path[0]}`);
  if (!inPath && route.method !== 'GET') return !(value instanceof Attachment);
  if (isQueryNumber(route, field)) {
    const text = textOf(value);
    // A numeric string is indistinguishable from the number in a query.
    return typeof text === 'string' && (value instanceof Literal ? /^-?\d/.test(text) : !CANONICAL.test(text));
  }
  if (typeof value !== 'string' || encodeURIComponent(value).length > HEAD_VALUE_MAX)
    return value === undefined && !inPath;
  return !inPath || value !== '';
}

function unlisted(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  const inQuery = (name: string): RouteCase => {
    const request = httpOf(route, valid);
    const query = `${request.path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${CANARY}`;
    return {
      label: `${JSON.stringify(name)} in the query`,
      request: { ...request, path: request.path + query },
      expects: { ...BAD, at: name },
    };
  };
  const names = [CANARY, '__proto__', 'constructor', 'toString', 'limit[]', 'a.b', 'a[b]', 'userId', 'token'];
  const inBody = unlistedFields(valid).map(
    ({ label, message, at }): RouteCase => ({ label, request: httpOf(route, message), expects: { ...BAD, at } }),
  );
  return [...names.map(inQuery), ...(route.method === 'GET' ? [bodyOfGet(route, valid)] : inBody)];
}

function bodyOfGet(route: RouteRow, valid: Record<string, unknown>): RouteCase {
  const { path } = httpOf(route, valid);
  return {
    label: 'a body',
    request: jsonRequest('GET', path, toJson({ [CANARY]: 1 })),
    expects: { ...BAD, at: CANARY },
  };
}

/** Bodies that are not objects, or cannot be parsed. */
function bodies(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  if (route.method === 'GET') return [];
  const { method, path, body = '' } = httpOf(route, valid);
  const refused = (label: string, content: string | Buffer, headers: Record<string, string> = {}): RouteCase => {
    const request = jsonRequest(method, path, content);
    return { label, request: { ...request, headers: { ...request.headers, ...headers } }, expects: BAD };
  };
  const replacements = wholeMessages(valid).filter(
    ({ args }) => args.length === 1 && toJson(args[0]).length < FRAME_BYTES_MAX,
  );
  return [
    ...replacements.flatMap(({ label, args: [value] }) => (hasBytes(value) ? [] : [refused(label, toJson(value))])),
    refused('truncated JSON', '{"a":'),
    refused('JSON with trailing data', `${body}}`),
    refused('single quotes', "{'a':1}"),
    refused('a comment', '/**/{"a":1}'),
    refused('noise', Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 37) % 256))),
    refused('invalid UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])),
    refused('one byte over the limit', `${body}`.padEnd(FRAME_BYTES_MAX + 1, ' ')),
    refused('a megabyte', `{"a":"${'x'.repeat(1_048_576)}"}`),
    refused('a compressed megabyte', gzipSync(`{"a":"${'x'.repeat(1_048_576)}"}`), { 'content-encoding': 'gzip' }),
    refused('a body that is not gzip as declared', '{"a":1}', { 'content-encoding': 'gzip' }),
    refused('an unknown content encoding', '{"a":1}', { 'content-encoding': CANARY }),
    refused('an unknown charset', '{"a":1}', { 'content-type': `application/json; charset=${CANARY}` }),
    refused('a form', `a=${CANARY}`, { 'content-type': 'application/x-www-form-urlencoded' }),
    refused('plain text', '{"a":1}', { 'content-type': 'text/plain' }),
    refused('an invalid content type', '{"a":1}', { 'content-type': ';;;' }),
    refused('30,000 nested lists', nested(30_000).json),
  ];
}

function hasBytes(value: unknown): boolean {
  return value instanceof Attachment || (Array.isArray(value) && value.some(hasBytes));
}

/** Methods that no route of this path uses. */
function methods(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  const { path, headers, body } = httpOf(route, valid);
  // A member of staff may be called `of`.
  const paths = route.path === '/staff/of' ? [route.path, '/staff/:userId'] : [route.path];
  const used = routeRows.flatMap(({ route: row }) => (row && paths.includes(row.path) ? row.method : []));
  const others = ['PUT', 'DELETE', 'PROPFIND', 'TRACE', 'PURGE'].filter(
    (method) => !used.some((one) => one === method),
  );
  return others.map((method) => ({
    label: method,
    request: { method, path, headers, body: method === 'TRACE' ? undefined : body },
    expects: { code: 'UNKNOWN_MESSAGE' },
  }));
}

/** Malformed percent-encoding in path parameters. */
function paths(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  if (!route.path.includes(':')) return [];
  const { method, path, headers, body } = httpOf(route, {
    ...valid,
    ...Object.fromEntries(pathParams(route).map((name) => [name, PLACEHOLDER])),
  });
  return ['%', '%ZZ', '%ED%A0%80', '%C0%80', '%FF', '%u0041'].map((bad) => ({
    label: bad,
    request: { method, path: path.replaceAll(PLACEHOLDER, bad), headers, body },
    expects: BAD,
  }));
}
const PLACEHOLDER = 'mark';
const pathParams = ({ path }: RouteRow) => [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);

function tokens(route: RouteRow, token: string, valid: Record<string, unknown>): RouteCase[] {
  if (route.isPublic) return [];
  const request = httpOf(route, valid);
  const withToken = (label: string, authorization?: string): RouteCase => ({
    label,
    request: { ...request, headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) } },
    token: '',
    expects: { code: 'UNAUTHENTICATED' },
  });
  return [
    withToken('no header'),
    withToken('an empty header', ''),
    withToken('the scheme alone', 'Bearer'),
    withToken('another scheme', `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`),
    withToken('no scheme', token),
    withToken('an unknown token', `Bearer ${'A'.repeat(43)}`),
    withToken('the token with an extra letter', `Bearer ${token}A`),
    withToken('half of the token', `Bearer ${token.slice(0, 20)}`),
    withToken('the token twice', `Bearer ${token} ${token}`),
    withToken('an SQL condition', `Bearer ' OR '1'='1`),
    withToken('the word null', 'Bearer null'),
    withToken('non-ASCII letters', 'Bearer \u00e9\u00ff'),
    withToken('8 KB', `Bearer ${'A'.repeat(HEAD_VALUE_MAX)}`),
  ];
}

/** The key in its header, for routes that take one. */
function keys(route: RouteRow, valid: Record<string, unknown>): RouteCase[] {
  if (!takesKey(route)) return [];
  const { key: _, ...without } = valid;
  const withKey = (label: string, key: string, message = without): RouteCase => {
    const request = httpOf(route, message);
    return {
      label,
      request: { ...request, headers: { ...request.headers, [KEY_HEADER]: key } },
      expects: { ...BAD, at: 'key' },
    };
  };
  return [
    withKey('an empty key', ''),
    withKey('a space inside', `${CANARY} 1`),
    withKey('one character too long', 'k'.repeat(65)),
    withKey('8 KB', 'k'.repeat(HEAD_VALUE_MAX)),
    withKey('an accent', `${CANARY}\u00e9`),
    withKey('a different key than in the body', CANARY, valid),
    withKey('a key, with a number in the body', '1', { ...valid, key: 1 }),
  ];
}

function refusedCommands(route: RouteRow, fixture: Fixture): RouteCase[] {
  const command = /(\w+)$/.exec(route.path === '/orders' && route.method === 'POST' ? 'place' : route.path)?.[1] ?? '';
  return refusedCommandsFor(command, fixture).map(({ label, by, message, code }) => ({
    label,
    request: httpOf(route, message),
    token: fixture.data.people[by].token,
    expects: { code },
  }));
}
