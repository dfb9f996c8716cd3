import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { HostResolver } from './host.resolver.js';

/** Of an answer; the status alone decides. */
const ANSWER_BYTES_MAX = 1_024;
/** How long the rest of an answer may take, so that its connection can be kept. */
const REST_TIMEOUT_MS = 1_000;
const IDLE_CONNECTION_MS = 15_000;
const IDLE_CONNECTIONS_MAX = 512;

export interface ReceiverRequest {
  headers: http.OutgoingHttpHeaders;
  body: string | Buffer;
  /** From the look-up of the host to the answer. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface ReceiverAnswer {
  status: number;
  /** `Retry-After`, as it came. */
  retryAfter: string | undefined;
}

/** A request under way. */
interface SentRequest extends ReceiverRequest {
  /** A `performance.now()`. */
  endsAt: number;
}

/**
 * Posts to addresses that users choose, never to those inside the operator's network. What receivers answer, or don't, costs no more
 * than a connection and the time of one request.
 */
@Injectable()
export class ReceiverClient implements OnApplicationShutdown {
  private readonly agents;

  constructor(private readonly resolver: HostResolver) {
    const options = {
      keepAlive: true,
      timeout: IDLE_CONNECTION_MS,
      maxFreeSockets: IDLE_CONNECTIONS_MAX,
      lookup: resolver.lookup,
    };
    this.agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  }

  onApplicationShutdown(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }

  /** Returns the answer, or null if none came in time. Never rejects, and follows no redirect. */
  async post(url: string, request: ReceiverRequest): Promise<ReceiverAnswer | null> {
    const endsAt = performance.now() + request.timeoutMs;
    try {
      const target = new URL(url);
      this.resolver.assertAllowed(target);
      return await this.request(target, { ...request, endsAt });
    } catch {
      // Why is the receiver's business: a log of it would be a log of addresses that users choose.
      return null;
    }
  }

  private request(target: URL, sent: SentRequest, isFirst = true): Promise<ReceiverAnswer> {
    const { headers, body, endsAt, signal } = sent;
    const isSecure = target.protocol === 'https:';
    const agent = this.agents[isSecure ? 'https:' : 'http:'];
    const options = { method: 'POST', headers, agent, ...(signal ? { signal } : {}) };
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).request(target, options);
      const timer = setTimeout(() => request.destroy(new Error('no answer in time')), endsAt - performance.now());
      request.once('response', (response) => {
        void readEnd(response).then(() => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
        });
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        // The receiver closed a kept connection at the moment when it was used: that says nothing about the receiver.
        const wasClosed = request.reusedSocket && error.code === 'ECONNRESET' && isFirst;
        if (wasClosed) this.request(target, sent, false).then(resolve, reject);
        else reject(error);
      });
      request.end(body);
    });
  }
}

/** Resolves when the answer has ended, or is no longer worth its connection. */
function readEnd(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), REST_TIMEOUT_MS);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) response.destroy();
    });
    response.on('error', () => {});
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
