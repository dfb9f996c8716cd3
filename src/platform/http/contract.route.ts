import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
} from '@nestjs/common';
import type { Request } from 'express';
import { HubError } from '../../contract/errors.js';
import type { RouteRow } from '../../contract/row.js';
import { type RouteName, routes } from '../../contract/wire.js';
import type { Caller, ClientInfo } from '../caller.js';
import type { RequestContext } from '../observability/request.context.js';
import { readRequest } from './request.reader.js';

const ROUTE = 'order-hub:route';

export interface HubRequest extends Request {
  client?: ClientInfo;
  caller?: Caller;
  context?: RequestContext;
}

/** Binds a controller's method to a route of the contract: its path, method and status. */
export function ContractRoute(name: RouteName): MethodDecorator {
  return BoundRoute(routes[name]);
}

/** The same for a route that not every hub has. */
export function BoundRoute(route: RouteRow): MethodDecorator {
  return applyDecorators(
    SetMetadata(ROUTE, route),
    RequestMapping({ path: route.path, method: RequestMethod[route.method] }),
    HttpCode(route.status ?? 200),
  );
}

export function routeOf(context: ExecutionContext): RouteRow {
  return Reflect.getMetadata(ROUTE, context.getHandler());
}

/** The route that a controller's method is bound to, if it is. */
export function routeMetadataOf(method: object): RouteRow | undefined {
  return Reflect.getMetadata(ROUTE, method);
}

/** The request as one message, parsed by the route's schema. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext) =>
  readRequest(routeOf(context), context.switchToHttp().getRequest<HubRequest>()),
);

/** The authenticated caller. Public routes have none. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { caller } = context.switchToHttp().getRequest<HubRequest>();
  if (!caller) throw new HubError('UNAUTHENTICATED');
  return caller;
});

/** The client of a request, authenticated or not. */
export const Client = createParamDecorator((_: unknown, context: ExecutionContext) =>
  clientOf(context.switchToHttp().getRequest<HubRequest>()),
);

export function clientOf({ client }: HubRequest): ClientInfo {
  if (!client) throw new Error('The auth guard has not run for this request');
  return client;
}
