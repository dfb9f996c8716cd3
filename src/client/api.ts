import { type ErrorCode, HubError, readErrorBody } from '../contract/errors.js';
import { parse } from '../contract/parse.js';
import { type RouteRow, takesKey } from '../contract/row.js';
import { ACTING_FOR_HEADER } from '../contract/staff.js';
import { type RouteData, type RouteName, type RouteRequest, routes } from '../contract/wire.js';
import type { CallOptions } from './hub.client.js';
import { ANSWER_TIMEOUT_MS, delay, newKey, retryDelayMs } from './retry.js';

export interface ApiOptions {
  /** The absolute URL of the hub, with the path prefix of a reverse proxy if it has one: `https://shop.example/hub`. */
  url: string;
  /** The session's token. Only registering, logging in and reading stores and books work without one. */
  token?: string;
  /** The seller for whom the user acts, as a member of the staff. */
  for?: string;
}

type ApiCallOptions = Pick<CallOptions, 'signal'>;
/** A request without required fields may be omitted. */
export type ApiArguments<Name extends RouteName> =
  Record<string, never> extends RouteRequest<Name>
    ? [request?: RouteRequest<Name>, options?: ApiCallOptions]
    : [request: RouteRequest<Name>, options?: ApiCallOptions];

export interface Api {
  /**
   * Calls a route of the contract by its name, for example `call('books', { q: '三体', limit: 20 })`. The request holds path
   * parameters, query and body together, as the contract's `routes` list them. Resolves with the data of the answer
   * (`undefined` for a 204).
   *
   * Reads, and commands that take a `key` (`deposit`, `withdraw`, `addStock`, `place` …), are retried until they are
   * answered; commands always with the same key, by default a random one, so that they take effect once. Other calls
   * (`login`, `openStore`, `addBook` …) are retried only after `RATE_LIMITED` and `OVERLOADED`, when they had no effect.
   *
   * Rejects with a `HubError`: `BAD_MESSAGE` for an invalid request, which is not sent; the hub's own error; `UNAVAILABLE` if
   * the answer to a call that is not retried is lost; `UNKNOWN_MESSAGE` if the server at `url` is not a hub. If `signal` aborts
   * the call, it rejects with the signal's reason.
   */
  call<Name extends RouteName>(name: Name, ...[request, options]: ApiArguments<Name>): Promise<RouteData<Name>>;
}

/** After these errors a request certainly had no effect, so it can be retried even without a key. */
const errorsWithoutEffect: readonly ErrorCode[] = ['RATE_LIMITED', 'OVERLOADED'];

/** Creates a client of the hub's HTTP API. It holds no connection and needs no closing. */
export function createApi(options: ApiOptions): Api {
  return {
    async call<Name extends RouteName>(name: Name, ...[fields, { signal } = {}]: ApiArguments<Name>) {
      const route: RouteRow = routes[name];
      const input: object = fields ?? {};
      const request = buildRequest(route, takesKey(route) ? { key: newKey(), ...input } : input, options);
      // A probe is not retried: its caller wants to know that the hub is not well.
      const isRepeatable = takesKey(route) || (route.method === 'GET' && !route.isProbe);
      for (let failures = 1; ; failures++) {
        try {
          // The hub's answer is trusted to match the contract.
          return (await send(route, request, signal)) as RouteData<Name>;
        } catch (error) {
          if (!(error instanceof HubError && error.retryable)) throw error;
          if (!isRepeatable && !errorsWithoutEffect.includes(error.code)) throw error;
          await delay(retryDelayMs(failures, error), signal);
        }
      }
    },
  };
}

interface HttpRequest {
  address: string;
  headers: Record<string, string>;
  body: string | null;
}

/** Validates the fields and puts each into the path, the query or the body. */
function buildRequest(
  { method, path, request }: RouteRow,
  input: object,
  { url, token, for: ownerId }: ApiOptions,
): HttpRequest {
  const fields = new Map(Object.entries(request ? (parse(request, input) as object) : {}));
  const expandedPath = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = encodeURIComponent(String(fields.get(name)));
    fields.delete(name);
    return value;
  });
  const address = url.replace(/\/$/, '') + expandedPath;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (ownerId !== undefined) headers[ACTING_FOR_HEADER.toLowerCase()] = encodeURIComponent(ownerId);
  if (method !== 'GET') {
    const body = JSON.stringify(Object.fromEntries(fields));
    return { address, headers: { ...headers, 'content-type': 'application/json' }, body };
  }
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (value !== undefined) query.set(name, String(value));
  return { address: query.size > 0 ? `${address}?${query}` : address, headers, body: null };
}

async function send(
  { method, mediaType }: RouteRow,
  { address, headers, body }: HttpRequest,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, {
      method,
      headers,
      body,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    text = await response.text();
  } catch {
    signal?.throwIfAborted();
    throw clientError('UNAVAILABLE', 'The hub could not be reached, or its answer was lost.');
  }
  if (response.status === 204) return undefined;
  if (response.ok && mediaType) return text;
  const answer = parseJson(text);
  if (response.ok && answer !== undefined) return answer;
  const error = readErrorBody((answer as { error?: unknown } | undefined)?.error);
  if (error) throw HubError.fromBody(error);
  // Not the hub's answer but a proxy's, or another server's.
  throw response.status >= 500
    ? clientError('UNAVAILABLE', `The hub did not answer: HTTP ${response.status}.`)
    : clientError('UNKNOWN_MESSAGE', `The server at this address is not a hub: HTTP ${response.status}.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function clientError(code: ErrorCode, message: string): HubError {
  return new HubError(code, message);
}
