import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type ErrorBody, type Fault, Refusal, refusals } from '../contract/errors.js';
import { parse } from '../contract/parse.js';
import { type RouteRow, takesKey } from '../contract/row.js';
import { type Answer, KEY_HEADER, REPLAYED_HEADER, type RouteName, routes, SEQ_HEADER } from '../contract/wire.js';
import type { Caller, Sender } from './caller.js';
import type { Message } from './message.js';

const ROUTE = 'order-hub:route';

export interface HubRequest extends Request {
  sender?: Sender;
  caller?: Caller;
  message?: Message;
}

/** The route of the contract that a controller's method serves. */
export function Serves(name: RouteName): MethodDecorator {
  const route: RouteRow = routes[name];
  return applyDecorators(
    SetMetadata(ROUTE, route),
    RequestMapping({ path: route.path, method: RequestMethod[route.method] }),
    HttpCode(route.status ?? 200),
  );
}

export function routeOf(context: ExecutionContext): RouteRow {
  return Reflect.getMetadata(ROUTE, context.getHandler());
}

/** The request as the route's shape says: path, query and body as one message. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext) =>
  readRequest(routeOf(context), context.switchToHttp().getRequest<HubRequest>()),
);

/** Who asks. Routes that are open have none. */
export const FromCaller = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { caller } = context.switchToHttp().getRequest<HubRequest>();
  if (!caller) throw new Refusal('UNAUTHENTICATED');
  return caller;
});

/** Where a request comes from, whoever asks. */
export const FromSender = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { sender } = context.switchToHttp().getRequest<HubRequest>();
  if (!sender) throw new Error('The guard has not let this request in');
  return sender;
});

/** Answers over HTTP as the acknowledgement would have: what it carries besides the data goes into headers. */
export function reply<T>(response: Response, answer: Answer<T>): T | { error: unknown } {
  if (answer.replayed) response.setHeader(REPLAYED_HEADER, 'true');
  if (!answer.ok) return refuse(response, answer.error);
  if (answer.seq !== undefined) response.setHeader(SEQ_HEADER, String(answer.seq));
  return answer.data;
}

/** Answers with an error: its status, when to come again if it says so, and the body. */
export function refuse(response: Response, error: ErrorBody): { error: ErrorBody } {
  const { retryAfterMs } = (error.details ?? {}) as { retryAfterMs?: number };
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(retryAfterMs / 1_000));
  response.status(refusals[error.code].status);
  response.locals.code = error.code;
  return { error };
}

function readRequest(route: RouteRow, request: HubRequest): unknown {
  const schema = route.request ?? z.strictObject({});
  const faults: Fault[] = [];
  const message = route.method === 'GET' ? readQuery(route, request, faults) : readBody(route, request, faults);
  if (takesKey(route)) readKey(request, message, faults);
  try {
    const parsed = parse(schema, message);
    if (faults.length === 0) return parsed;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    faults.push(...(error.details as Fault[]));
  }
  throw Refusal.badMessage(faults);
}

function readQuery(route: RouteRow, request: HubRequest, faults: Fault[]): Record<string, unknown> {
  const query: Record<string, unknown> = { ...request.query };
  faults.push(...Object.keys(request.body ?? {}).map(unlisted));
  for (const name of Object.keys(request.params)) if (Object.hasOwn(query, name)) faults.push(unlisted(name));
  for (const name of route.numbers ?? []) {
    const value = query[name];
    if (typeof value === 'string' && /^(0|[1-9]\d{0,15})$/.test(value)) query[name] = Number(value);
  }
  return { ...query, ...request.params };
}

function readBody(route: RouteRow, request: HubRequest, faults: Fault[]): Record<string, unknown> {
  for (const name of Object.keys(request.query)) faults.push(unlisted(name));
  const body: unknown = request.body ?? (hasBody(request) ? undefined : {});
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw Refusal.badMessage([...faults, { path: '', problem: 'must be a JSON object, sent as application/json' }]);
  }
  const message = body as Record<string, unknown>;
  for (const [name, value] of Object.entries(request.params)) {
    if (!Object.hasOwn(message, name)) continue;
    if (!route.wordForWord) faults.push(unlisted(name));
    else if (message[name] !== value) faults.push({ path: name, problem: 'differs from the one in the path' });
  }
  return { ...message, ...request.params };
}

/** Whether anything was sent, also of a type that the parser passes over. */
function hasBody({ headers }: HubRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function readKey(request: HubRequest, message: Record<string, unknown>, faults: Fault[]): void {
  const key = request.header(KEY_HEADER);
  if (key === undefined) return;
  if (Object.hasOwn(message, 'key') && message.key !== key) {
    faults.push({ path: 'key', problem: `differs from the header ${KEY_HEADER}` });
  } else message.key = key;
}

function unlisted(name: string): Fault {
  return { path: name, problem: 'is not a field of this message' };
}
