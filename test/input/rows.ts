import { z } from 'zod';
import { lifecycle, type OrderStatus } from '../../src/contract/lifecycle.js';
import type { MessageRow, RouteRow } from '../../src/contract/row.js';
import { messages, routes } from '../../src/contract/wire.js';
import { exampleOf } from '../../src/docs/examples.js';
import { namedSchemas, schemaOf } from '../../src/docs/schemas.js';
import { written } from './values.js';

/** A row of the contract: a message over the socket, or a route. */
export interface Row {
  name: string;
  request: z.ZodType;
  says: MessageRow | RouteRow;
  /** How it is asked over HTTP, where it is. */
  route?: RouteRow;
}

const nothing = z.strictObject({});
export const messageRows: Row[] = Object.entries<MessageRow>(messages).map(([name, says]) => ({
  name,
  request: says.request,
  says,
}));
export const routeRows: Row[] = Object.values<RouteRow>(routes).map((says) => ({
  name: `${says.method} ${says.path}`,
  request: says.request ?? nothing,
  says,
  route: says,
}));

/** The step of an order's life that a row is: what is shipped must have been paid, and its seller ships it. */
export function stepOfRow({ name }: Row): { from: OrderStatus; by: 'buyer' | 'seller' } | undefined {
  const command = /(\w+)$/.exec(name)?.[1];
  const step = lifecycle.find((each) => each.command === command);
  return step && { from: step.from, by: step.by.includes('buyer') ? 'buyer' : 'seller' };
}

const shapes = namedSchemas();
const examples = new Map<z.ZodType, unknown>();

/** A message as the row's shape asks for it, made of the examples that the contract gives, with what the stage calls so. */
export function exampleFor({ request }: Row, named: Record<string, unknown>): Record<string, unknown> {
  const example = examples.get(request) ?? exampleOf(schemaOf(request), shapes);
  examples.set(request, example);
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, content]) => [
        name,
        Object.hasOwn(named, name) ? named[name] : replace(content),
      ]),
    );
  };
  return replace(example) as Record<string, unknown>;
}

/** A request over HTTP, as it goes over the line. */
export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Buffer | undefined;
}

/** The message as this route is asked: what its path names, what its query holds, and the rest as its body. */
export function httpOf(route: RouteRow, message: Record<string, unknown>): HttpRequest {
  const fields = { ...message };
  const take = (name: string) => {
    const value = fields[name];
    delete fields[name];
    return encodeURIComponent(typeof value === 'string' ? value : written(value));
  };
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => take(name));
  if (route.method !== 'GET') return json(route.method, path, written(fields));
  const query = Object.keys(fields).map((name) => `${encodeURIComponent(name)}=${take(name)}`);
  return {
    method: 'GET',
    path: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers: {},
    body: undefined,
  };
}

export function json(method: string, path: string, body: string | Buffer): HttpRequest {
  return { method, path, headers: { 'content-type': 'application/json' }, body };
}
