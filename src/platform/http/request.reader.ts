import type { Request } from 'express';
import { z } from 'zod';
import { type FieldError, HubError } from '../../contract/errors.js';
import { parse } from '../../contract/parse.js';
import { type RouteRow, takesKey } from '../../contract/row.js';
import { KEY_HEADER } from '../../contract/wire.js';

type Message = Record<string, unknown>;

/** Path parameters, query or body, and the key's header as one message, parsed by the route's schema. Throws `BAD_MESSAGE`. */
export function readRequest(route: RouteRow, request: Request): unknown {
  const schema = route.request ?? z.strictObject({});
  const errors: FieldError[] = [];
  const message = route.method === 'GET' ? readQuery(route, request, errors) : readBody(route, request, errors);
  if (takesKey(route)) readKey(request, message, errors);
  try {
    const parsed = parse(schema, message);
    if (errors.length === 0) return parsed;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    errors.push(...(error.details as FieldError[]));
  }
  throw HubError.badMessage(errors);
}

function readQuery(route: RouteRow, request: Request, errors: FieldError[]): Message {
  const query: Message = { ...request.query };
  errors.push(...Object.keys(request.body ?? {}).map(unlisted));
  for (const name of Object.keys(request.params)) if (Object.hasOwn(query, name)) errors.push(unlisted(name));
  for (const name of route.numericQuery ?? []) {
    const value = query[name];
    if (typeof value === 'string' && /^(0|[1-9]\d{0,15})$/.test(value)) query[name] = Number(value);
  }
  return { ...query, ...request.params };
}

function readBody(route: RouteRow, request: Request, errors: FieldError[]): Message {
  for (const name of Object.keys(request.query)) errors.push(unlisted(name));
  const body: unknown = request.body ?? (hasBody(request) ? undefined : {});
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw HubError.badMessage([...errors, { path: '', problem: 'must be a JSON object, sent as application/json' }]);
  }
  const message = body as Message;
  for (const [name, value] of Object.entries(request.params)) {
    if (!Object.hasOwn(message, name)) continue;
    if (!route.allowPathParamsInBody) errors.push(unlisted(name));
    else if (message[name] !== value) errors.push({ path: name, problem: 'differs from the one in the path' });
  }
  return { ...message, ...request.params };
}

/** Judged by the headers, because the parser ignores bodies of other types than JSON. */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function readKey(request: Request, message: Message, errors: FieldError[]): void {
  const key = request.headers[KEY_HEADER.toLowerCase()];
  if (key === undefined) return;
  if (Object.hasOwn(message, 'key') && message.key !== key) {
    errors.push({ path: 'key', problem: `differs from the header ${KEY_HEADER}` });
  } else message.key = key;
}

function unlisted(name: string): FieldError {
  return { path: name, problem: 'is not a field of this message' };
}

/** The answer to a body that is no JSON, or too large. */
export function unreadableBody(): HubError {
  return HubError.badMessage([{ path: '', problem: 'cannot be read: it must be JSON of at most 64 KB' }]);
}
