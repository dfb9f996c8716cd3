import { z } from 'zod';
import type { MessageRow, RouteRow } from '../../src/contract/row.js';
import { amendments, type OrderStatus, transitions } from '../../src/contract/transitions.js';
import { messages, routes } from '../../src/contract/wire.js';
import { exampleOf } from '../../src/docs/examples.js';
import { namedSchemas, schemaOf } from '../../src/docs/schemas.js';
import { toJson } from './values.js';

/** A row of the contract: a message over the socket, or a route. */
export interface Row {
  name: string;
  request: z.ZodType;
  contract: MessageRow | RouteRow;
  /** Set for routes. */
  route?: RouteRow;
}

const noFields = z.strictObject({});
export const messageRows: Row[] = Object.entries<MessageRow>(messages).map(([name, contract]) => ({
  name,
  request: contract.request,
  contract,
}));
/** All but those whose body is not the contract's: payments/events.spec.ts sends those. */
export const routeRows: Row[] = Object.values<RouteRow>(routes)
  .filter(({ hasRawBody }) => !hasRawBody)
  .map((contract) => ({
    name: `${contract.method} ${contract.path}`,
    request: contract.request ?? noFields,
    contract,
    route: contract,
  }));

/** From where a command may send all of its fields, and finds whole orders ready for it. */
const wholeOrders: Record<string, OrderStatus> = { cancel: 'paid', receive: 'shipped', track: 'shipped' };

/** The order transition of a row: the status it needs and the role that may request it. */
export function transitionOf({ name, request }: Row): { from: OrderStatus; by: 'buyer' | 'seller' } | undefined {
  const command = /(\w+)$/.exec(name)?.[1];
  // It is no change of the order, and stands in neither table.
  if (command === 'claim') return { from: 'paid', by: 'seller' };
  // Only the seller says what is unavailable.
  const isSellers = 'shape' in request && Object.hasOwn(request.shape as object, 'unavailable');
  const from = command && wholeOrders[command];
  const transition = transitions.find((each) => each.command === command && each.from === (from ?? each.from));
  if (transition)
    return { from: transition.from, by: transition.by.includes('buyer') && !isSellers ? 'buyer' : 'seller' };
  const amendment = amendments.find((each) => each.command === command);
  return amendment?.from[0] && { from: amendment.from[0], by: amendment.by.includes('buyer') ? 'buyer' : 'seller' };
}

const shapes = namedSchemas();
const examples = new Map<z.ZodType, unknown>();

/** A valid message for the row, made of the contract's examples, with these values for fields of the same name. */
export function exampleFor({ request }: Row, values: Record<string, unknown>): Record<string, unknown> {
  const example = examples.get(request) ?? exampleOf(schemaOf(request), shapes);
  examples.set(request, example);
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, content]) => [
        name,
        Object.hasOwn(values, name) ? values[name] : replace(content),
      ]),
    );
  };
  return replace(example) as Record<string, unknown>;
}

/** An HTTP request on the wire. */
export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Buffer | undefined;
}

/** Distributes a message over the route's path, query and body. */
export function httpOf(route: RouteRow, message: Record<string, unknown>): HttpRequest {
  const fields = { ...message };
  const consume = (name: string) => {
    const value = fields[name];
    delete fields[name];
    return encodeURIComponent(typeof value === 'string' ? value : toJson(value));
  };
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => consume(name));
  if (route.method !== 'GET') return jsonRequest(route.method, path, toJson(fields));
  const query = Object.keys(fields).map((name) => `${encodeURIComponent(name)}=${consume(name)}`);
  return {
    method: 'GET',
    path: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers: {},
    body: undefined,
  };
}

export function jsonRequest(method: string, path: string, body: string | Buffer): HttpRequest {
  return { method, path, headers: { 'content-type': 'application/json' }, body };
}
