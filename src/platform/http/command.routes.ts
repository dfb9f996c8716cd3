import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Response } from 'express';
import helmet from 'helmet';
import { type RouteRow, takesKey } from '../../contract/row.js';
import { type Answer, FRAME_BYTES_MAX } from '../../contract/wire.js';
import type { Caller } from '../caller.js';
import { ErrorMapper } from '../error.mapper.js';
import { withTimeout } from '../limits/timeouts.js';
import { RequestObserver } from '../observability/request.observer.js';
import { AUTHENTICATOR, type Authenticator } from '../sockets/handshake.js';
import { bodyOf } from './answer.interceptor.js';
import { type HubRequest, routeMetadataOf } from './contract.route.js';
import { errorResponse } from './error.response.js';
import { EXPOSED_HEADERS } from './exposed.headers.js';
import { RequestAdmission } from './request.admission.js';
import { readRequest, unreadableBody } from './request.reader.js';

type Handler = (caller: Caller, request: unknown) => Promise<Answer<unknown>>;
interface CommandRoute {
  route: RouteRow;
  pattern: RegExp;
  names: string[];
  handler: Handler;
}
interface Match {
  command: CommandRoute;
  params: Record<string, string>;
}

const JSON_TYPE = /^application\/json(; ?charset=utf-8)?$/i;
/** As strict as Express: a JSON text of the hub is an object. */
const BEGINS_AN_OBJECT = /^\uFEFF?[ \t\r\n]*[{[]/;

/**
 * Serves the routes of commands without Express and Nest's pipeline, whose middleware, interceptors and router take twice the CPU
 * of the command. Only plain requests of programs, of the usual form; everything else is left to them and answered alike.
 */
@Injectable()
export class CommandRoutes {
  private commands: readonly CommandRoute[] | undefined;
  private readonly headers = commonHeaders();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    private readonly admission: RequestAdmission,
    private readonly observer: RequestObserver,
    private readonly errors: ErrorMapper,
  ) {}

  /** Returns whether the request is one that it serves. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const match = isPlain(request) ? this.match(request.url ?? '') : undefined;
    if (match) void this.serve(match, request as HubRequest, response as Response);
    return match !== undefined;
  }

  private match(path: string): Match | undefined {
    this.commands ??= this.findCommands();
    for (const command of this.commands) {
      const [found, ...values] = command.pattern.exec(path) ?? [];
      if (found === undefined) continue;
      return { command, params: Object.fromEntries(command.names.map((name, index) => [name, values[index] ?? ''])) };
    }
    return undefined;
  }

  /** Never rejects. */
  private async serve({ command, params }: Match, request: HubRequest, response: Response): Promise<void> {
    const { route, handler } = command;
    Object.assign(request, { params, query: {}, route: { path: route.path } });
    response.locals = {};
    this.observer.http(request, response, () => {});
    let body: unknown;
    try {
      request.body = await readBody(request);
      await this.admission.admit(this.authenticator, route, request, response);
      const message = readRequest(route, request);
      response.statusCode = route.status ?? 200;
      body = bodyOf(await withTimeout(handler(request.caller as Caller, message)), response);
    } catch (error) {
      body = errorResponse(response, this.errors.toErrorBody(error, { id: request.context?.id }));
    }
    if (response.destroyed) return;
    const text = JSON.stringify(body);
    for (const [name, value] of this.headers) response.setHeader(name, value);
    response.setHeader('Content-Length', Buffer.byteLength(text));
    response.end(text);
  }

  private findCommands(): CommandRoute[] {
    return this.discovery.getControllers().flatMap(({ instance }) =>
      this.scanner.getAllMethodNames(Object.getPrototypeOf(instance)).flatMap((name) => {
        const method: Handler = instance[name];
        const route = routeMetadataOf(method);
        return route && takesKey(route) ? [commandRoute(route, method.bind(instance))] : [];
      }),
    );
  }
}

function commandRoute(route: RouteRow, handler: Handler): CommandRoute {
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  // Ids of other characters are encoded in a path: Express decodes them.
  return { route, names, handler, pattern: new RegExp(`^${route.path.replace(/:\w+/g, '([\\w-]+)')}$`) };
}

/** Not a browser's, whose origin has to be looked at, and with a body that can be read as it is, or none. */
function isPlain({ method, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || headers.origin !== undefined) return false;
  if (headers['transfer-encoding'] !== undefined || headers['content-encoding'] !== undefined) return false;
  const length = Number(headers['content-length'] ?? 0);
  return length === 0 || (length <= FRAME_BYTES_MAX && JSON_TYPE.test(headers['content-type'] ?? ''));
}

/** The parsed body, undefined if there is none. Throws `BAD_MESSAGE`. */
function readBody(request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('error', () => reject(unreadableBody()));
    request.once('close', () => {
      // An error takes its stack, which every request would pay for.
      if (!request.complete) reject(unreadableBody());
    });
    request.once('end', () => {
      const text = Buffer.concat(chunks).toString();
      if (text === '') return resolve(undefined);
      try {
        if (!BEGINS_AN_OBJECT.test(text)) throw unreadableBody();
        resolve(JSON.parse(text.replace(/^\uFEFF/, '')));
      } catch {
        reject(unreadableBody());
      }
    });
  });
}

/** What Express sends with every answer to such a request. */
function commonHeaders(): [string, string][] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  helmet()(response.req, response, () => {});
  return [
    ...Object.entries(response.getHeaders()).map(([name, value]): [string, string] => [name, String(value)]),
    ['Vary', 'Origin'],
    ['Access-Control-Expose-Headers', EXPOSED_HEADERS.join(',')],
    ['Content-Type', 'application/json; charset=utf-8'],
  ];
}
