import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

interface ProxyOptions {
  /** Old ones pass on requests and answers only. */
  passesWebSockets?: boolean;
}

/** A web server before a hub that shows it below a folder, as `https://shop.example/hub/`: the hub does not know of it. */
export class PrefixProxy {
  /** How often a WebSocket was asked for and not passed on. */
  refusedWebSockets = 0;

  private constructor(
    private readonly server: Server,
    /** A server forgets the connections that were upgraded. */
    private readonly upgraded: Set<Duplex>,
    readonly url: string,
  ) {}

  static async before(
    hubUrl: string,
    prefix: string,
    { passesWebSockets = true }: ProxyOptions = {},
  ): Promise<PrefixProxy> {
    const asked = ({ method, url = '', headers }: IncomingMessage) =>
      request(hubUrl + url.slice(prefix.length), { ...(method ? { method } : {}), headers });
    const isBelow = ({ url = '' }: IncomingMessage) => url.startsWith(`${prefix}/`);

    const server = createServer((question, response) => {
      if (!isBelow(question)) return void response.writeHead(404).end();
      const passedOn = asked(question).on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      passedOn.on('error', () => response.destroy());
      question.pipe(passedOn);
    });
    const upgraded = new Set<Duplex>();
    server.on('upgrade', (question: IncomingMessage, client: Duplex) => {
      if (!isBelow(question)) return void client.destroy();
      if (!passesWebSockets) {
        proxy.refusedWebSockets++;
        return void client.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      }
      const passedOn = asked(question).on('upgrade', ({ rawHeaders }, hub, first) => {
        const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
        client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
        // The hub may have spoken already.
        client.write(first);
        upgraded.add(client);
        client.on('close', () => {
          upgraded.delete(client);
          hub.destroy();
        });
        hub.pipe(client).pipe(hub);
        hub.on('error', () => client.destroy());
        client.on('error', () => hub.destroy());
      });
      passedOn.on('error', () => client.destroy()).end();
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
