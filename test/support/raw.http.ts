import { type IncomingHttpHeaders, request } from 'node:http';
import type { TestHub } from './hub.js';

export interface RawAnswer {
  status: number;
  text: string;
  type: string;
  headers: IncomingHttpHeaders;
}

/** Sends an HTTP request verbatim, including what `fetch` would reject or normalize. */
export function rawHttp(
  hub: Pick<TestHub, 'url'>,
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(hub.url);
    const length = body.length > 0 ? { 'content-length': Buffer.byteLength(body) } : {};
    const outgoing = request({ hostname, port, method, path, headers: { ...length, ...headers } }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          type: incoming.headers['content-type'] ?? '',
          headers: incoming.headers,
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
