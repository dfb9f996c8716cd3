import { errorBody, type RefusalCode } from '../contract/errors.js';
import { type RouteRow, takesKey } from '../contract/row.js';
import { type RouteData, type RouteName, type RouteRequest, routes } from '../contract/wire.js';
import { ANSWER_WITHIN_MS, newKey, pause, pauseMs } from './again.js';
import type { CallOptions } from './hub.client.js';
import { checked, HubError } from './hub.error.js';

export interface ApiOptions {
  /** Where the hub is, absolute, with the path prefix behind which a proxy serves it: `https://shop.example/hub`. */
  url: string;
  /** Needed for everything but registering, logging in and looking at stores and books. */
  token?: string;
}

type AskOptions = Pick<CallOptions, 'signal'>;
/** A request whose fields may all be left out may be left out itself. */
export type ApiArguments<Name extends RouteName> =
  Record<string, never> extends RouteRequest<Name>
    ? [request?: RouteRequest<Name>, options?: AskOptions]
    : [request: RouteRequest<Name>, options?: AskOptions];

export interface Api {
  /**
   * Asks the hub over HTTP, for example `call('books', { q: '三体', limit: 20 })`. Path parameters, query and body are one
   * request, as the contract's `routes` lists them. Resolves with what the hub answers; rejects with a `HubError`, or with
   * the reason of the `signal` by which it was given up.
   *
   * Reads, and commands that take a `key` (`deposit`, `withdraw`, `addStock`, `place` …), are sent until they are answered,
   * always with the same key, so that they take effect once; one is made where the request has none. What takes no key
   * (`login`, `openStore`, `addBook` …) is sent again only when the hub says that it did nothing; when that is not known, it
   * rejects with `UNAVAILABLE`.
   */
  call<Name extends RouteName>(name: Name, ...[request, options]: ApiArguments<Name>): Promise<RouteData<Name>>;
}

/** Refused with one of these, a message has certainly had no effect, with a key or without one. */
const didNothing: readonly HubError['code'][] = ['RATE_LIMITED', 'OVERLOADED'];

/** Everything that the hub offers over HTTP. */
export function createApi(options: ApiOptions): Api {
  return {
    async call<Name extends RouteName>(name: Name, ...[fields, { signal } = {}]: ApiArguments<Name>) {
      const route: RouteRow = routes[name];
      const message: object = fields ?? {};
      const request = requestOf(route, takesKey(route) ? { key: newKey(), ...message } : message, options);
      // Who asks how the hub is wants to know when it is not well.
      const mayBeRepeated = takesKey(route) || (route.method === 'GET' && !route.probe);
      for (let failures = 1; ; failures++) {
        try {
          // What the contract says of the answer to this route holds from here on.
          return (await ask(route, request, signal)) as RouteData<Name>;
        } catch (error) {
          if (!(error instanceof HubError && error.retryable)) throw error;
          if (!mayBeRepeated && !didNothing.includes(error.code)) throw error;
          await pause(pauseMs(failures, error), signal);
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

/** Puts each field where the route has its place: into the path, the query or the body. */
function requestOf({ method, path, request }: RouteRow, message: object, { url, token }: ApiOptions): HttpRequest {
  const fields = new Map(Object.entries(request ? checked(request, message) : {}));
  const filled = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = encodeURIComponent(String(fields.get(name)));
    fields.delete(name);
    return value;
  });
  const address = url.replace(/\/$/, '') + filled;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (method !== 'GET') {
    const body = JSON.stringify(Object.fromEntries(fields));
    return { address, headers: { ...headers, 'content-type': 'application/json' }, body };
  }
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (value !== undefined) query.set(name, String(value));
  return { address: query.size > 0 ? `${address}?${query}` : address, headers, body: null };
}

async function ask(
  { method, mediaType }: RouteRow,
  { address, headers, body }: HttpRequest,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const patience = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const signals = signal ? AbortSignal.any([signal, patience]) : patience;
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, { method, headers, body, signal: signals });
    text = await response.text();
  } catch {
    signal?.throwIfAborted();
    throw unanswered('UNAVAILABLE', 'The hub was not reached, or its answer was lost.');
  }
  if (response.status === 204) return undefined;
  if (response.ok && mediaType) return text;
  const given = asJson(text);
  if (response.ok && given !== undefined) return given;
  const refusal = errorBody.safeParse((given as { error?: unknown } | undefined)?.error).data;
  if (refusal) throw new HubError(refusal);
  // Not the hub: something before it, or in its place.
  throw response.status >= 500
    ? unanswered('UNAVAILABLE', `The hub gave no answer: ${response.status}.`)
    : unanswered('UNKNOWN_MESSAGE', `What answers at this address is not a hub: ${response.status}.`);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unanswered(code: RefusalCode, message: string): HubError {
  return new HubError({ code, message, retryable: code === 'UNAVAILABLE' });
}
