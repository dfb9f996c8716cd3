import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

interface ProxyOptions {
  /** Older proxies forward plain HTTP only. */
  passesWebSockets?: boolean;
}

/** A reverse proxy that serves a hub below a path prefix, as `https://shop.example/hub/`, without the hub knowing. */
export class PrefixProxy {
  /** WebSocket upgrades that were refused. */
  refusedWebSockets = 0;

  private constructor(
    private readonly server: Server,
    /** An HTTP server does not track upgraded connections. */
    private readonly upgraded: Set<Duplex>,
    readonly url: string,
  ) {}

  static async before(
    hubUrl: string,
    prefix: string,
    { passesWebSockets = true }: ProxyOptions = {},
  ): Promise<PrefixProxy> {
    const forward = ({ method, url = '', headers }: IncomingMessage) =>
      request(hubUrl + url.slice(prefix.length), { ...(method ? { method } : {}), headers });
    const isBelow = ({ url = '' }: IncomingMessage) => url.startsWith(`${prefix}/`);

    const server = createServer((incoming, response) => {
      if (!isBelow(incoming)) return void response.writeHead(404).end();
      const outgoing = forward(incoming).on('response', (upstream) => {
        response.writeHead(upstream.statusCode ?? 502, upstream.headers);
        upstream.pipe(response);
      });
      outgoing.on('error', () => response.destroy());
      incoming.pipe(outgoing);
    });
    const upgraded = new Set<Duplex>();
    server.on('upgrade', (incoming: IncomingMessage, client: Duplex) => {
      if (!isBelow(incoming)) return void client.destroy();
      if (!passesWebSockets) {
        proxy.refusedWebSockets++;
        return void client.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      }
      const outgoing = forward(incoming).on('upgrade', ({ rawHeaders }, hub, head) => {
        const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
        client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
        // The hub may have sent frames already.
        client.write(head);
        upgraded.add(client);
        client.on('close', () => {
          upgraded.delete(client);
          hub.destroy();
        });
        hub.pipe(client).pipe(hub);
        hub.on('error', () => client.destroy());
        client.on('error', () => hub.destroy());
      });
      outgoing.on('error', () => client.destroy()).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const proxy = new PrefixProxy(server, upgraded, `http://127.0.0.1:${port}${prefix}`);
    return proxy;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    for (const client of this.upgraded) client.destroy();
    await closed;
  }
}
