/**
 * A whole hub for the tests of a client, in the test's own process and on a temporary database:
 *
 *     const hub = await startTestHub();
 *     const buyer = await hub.connect('lin'); // or any client of yours, at hub.url with await hub.token('lin')
 *     await hub.clock.advance(15 * 60_000); // what comes due is done, and the client has heard of it
 *     await hub.stop();
 */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, type ConnectOptions, connect, createApi, type HubClient } from '../client/connect.js';
import { readConfig } from '../config.js';
import { HubError, readErrorBody } from '../contract/errors.js';
import type { FaultName, FaultRequest, MovedClock, Transcript } from '../contract/sandbox.js';
import type { MessageName } from '../contract/wire.js';
import { createHub } from '../hub.js';
import { urlOfFile } from '../platform/database/database.url.js';
import { Logger } from '../platform/observability/logger.js';

export type { FaultRequest, TranscriptEntry } from '../contract/sandbox.js';
export type { FaultName, MessageName };

export interface TestHubOptions {
  /** Settings of the hub, by the names of its environment variables: `{ UNPAID_TTL_SECONDS: '60' }`. */
  settings?: Record<string, string>;
}

/** How often, and for `delay` how long. */
type FaultOptions = Pick<FaultRequest, 'times' | 'ms'>;
type AddFault = (userId: string, message: MessageName, options?: FaultOptions) => Promise<void>;

export interface TestHub {
  readonly url: string;
  readonly clock: {
    /** Moves the time on by up to 400 days. Resolves with the time, once all that came due is done and the sockets have heard of it. */
    advance(ms: number): Promise<MovedClock>;
  };
  /** Spoils the next messages of a user: see docs/testing-clients.md. */
  readonly faults: {
    add(fault: FaultRequest): Promise<void>;
    dropAck: AddFault;
    cutBefore: AddFault;
    cutAfterCommit: AddFault;
    twice: AddFault;
    delay: AddFault;
  };
  /** The token of a new session of this user, who is registered at the first call. */
  token(userId: string): Promise<string>;
  /** The HTTP API, as this user. */
  api(userId: string): Promise<Api>;
  /** The client library, as this user. It is closed when the hub stops. */
  connect(userId: string, options?: Partial<ConnectOptions>): Promise<HubClient>;
  /** Makes it a fresh hub on an empty database: no user, no order, the real time. */
  reset(): Promise<void>;
  /** What a user has said and heard, oldest first. */
  transcript(userId: string): Promise<Transcript['entries']>;
  /** Stops the hub and deletes its database. */
  stop(): Promise<void>;
}

/** Starts a hub on a free port of this machine. It writes no log unless `LOG_LEVEL` is set. */
export async function startTestHub({ settings = {} }: TestHubOptions = {}): Promise<TestHub> {
  const folder = await mkdtemp(join(tmpdir(), 'order-hub-test-'));
  const operatorKey = settings.OPERATOR_KEY ?? `${randomUUID()}${randomUUID()}`;
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const config = readConfig({
      PORT: '0',
      LOG_LEVEL: 'silent',
      RATE_LIMITS: 'off',
      DATABASE_URL: urlOfFile(join(folder, 'hub')),
      ...settings,
      OPERATOR_KEY: operatorKey,
      SANDBOX: 'on',
    });
    const hub = await createHub(config, new Logger(config));
    const stop = () => hub.close().finally(removeFolder);
    return testHubAt(await hub.listen(), operatorKey, stop);
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

function testHubAt(url: string, operatorKey: string, stop: () => Promise<void>): TestHub {
  const clients = new Set<HubClient>();
  const operator = createApi({ url, token: operatorKey });
  const token = async (userId: string) => (await operator.call('openSession', { userId })).token;
  const add = async (fault: FaultRequest) => void (await call(url, '/sandbox/faults', fault));
  const adding =
    (name: FaultName): AddFault =>
    (userId, message, options = {}) =>
      add({ userId, message, do: name, ...options });
  return {
    url,
    clock: { advance: (advanceMs) => call<MovedClock>(url, '/sandbox/clock', { advanceMs }) },
    faults: {
      add,
      dropAck: adding('drop-ack'),
      cutBefore: adding('cut-before'),
      cutAfterCommit: adding('cut-after-commit'),
      twice: adding('twice'),
      delay: adding('delay'),
    },
    token,
    api: async (userId) => createApi({ url, token: await token(userId) }),
    async connect(userId, options = {}) {
      const client = connect({ url, token: await token(userId), ...options });
      clients.add(client);
      return client;
    },
    reset: () => call<void>(url, '/sandbox/reset', {}),
    async transcript(userId) {
      const query = new URLSearchParams({ userId });
      return (await call<Transcript>(url, `/sandbox/transcript?${query}`)).entries;
    },
    async stop() {
      for (const client of clients) client.close();
      await stop();
    },
  };
}

/** A route of the sandbox: a GET without a body. Rejects with the hub's `HubError`. */
async function call<Data>(url: string, path: string, body?: object): Promise<Data> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.status === 204) return undefined as Data;
  const answer: unknown = await response.json();
  if (response.ok) return answer as Data;
  const error = readErrorBody((answer as { error?: unknown }).error);
  throw error ? HubError.fromBody(error) : new Error(`The hub answered ${response.status}`);
}
