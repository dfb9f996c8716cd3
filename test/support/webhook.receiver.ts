import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { CreatedWebhook, WebhookBody } from '../../src/contract/webhooks.js';
import type { Person } from './person.js';

/** What a receiver does with a request: answers with a status, or misbehaves. */
type Behaviour = number | 'hang' | 'die' | 'megabytes' | 'redirect' | 'trickle';

export interface ReceivedRequest {
  id: string;
  url: string;
  method: string;
  headers: Record<string, string>;
  text: string;
  body: WebhookBody;
  at: number;
  /** Answered with 2xx. */
  accepted: boolean;
}

const MEGABYTE = Buffer.alloc(2 ** 20, 'x');

/** A real receiver of webhooks, which keeps one integer as the contract says. */
export class WebhookReceiver {
  readonly requests: ReceivedRequest[] = [];
  /** The events that were new by the one integer. */
  readonly events: OrderStatusPush[] = [];
  last = 0;
  /** The most requests of one webhook under way at once. */
  overlap = 0;
  /** Bytes of answers that were sent. */
  sentBytes = 0;
  behaviour: Behaviour | ((request: ReceivedRequest) => Behaviour | Promise<Behaviour>) = 204;
  readonly faults: string[] = [];
  private readonly underway = new Map<string, number>();

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    server.on(
      'request',
      (request, response) => void receiver.handle(request, response).catch(() => response.destroy()),
    );
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/events?token=of-the-query`;
  }

  /** A webhook of a person that leads here. */
  async of(person: Person, request: Record<string, unknown> = {}): Promise<CreatedWebhook> {
    const { status, body } = await person.post<CreatedWebhook>('/webhooks', {
      url: this.url,
      role: 'seller',
      ...request,
    });
    if (status !== 201) throw new Error(`The webhook was not created: ${JSON.stringify(body)}`);
    return body;
  }

  get seqs(): number[] {
    return this.events.map(({ seq }) => seq);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Throws unless the library takes the request's signature for right. */
  verify(secret: string, { text, headers }: ReceivedRequest): unknown {
    return new Webhook(secret).verify(text, headers);
  }

  private async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const id = String(message.headers['webhook-id']);
    const headers = message.headers as Record<string, string>;
    const body = JSON.parse(text) as WebhookBody;
    const request = {
      id,
      headers,
      text,
      body,
      url: message.url ?? '',
      method: message.method ?? '',
      at: Date.now(),
      accepted: false,
    };
    this.requests.push(request);
    const webhook = id.split('.')[0] ?? '';
    const count = (this.underway.get(webhook) ?? 0) + 1;
    this.underway.set(webhook, count);
    this.overlap = Math.max(this.overlap, count);
    response.once('close', () => this.underway.set(webhook, (this.underway.get(webhook) ?? 1) - 1));
    const behaviour = typeof this.behaviour === 'function' ? await this.behaviour(request) : this.behaviour;
    this.answer(behaviour, request, response);
  }

  private answer(behaviour: Behaviour, request: ReceivedRequest, response: ServerResponse): void {
    if (typeof behaviour === 'number') {
      if (behaviour >= 200 && behaviour < 300) this.accept(request);
      response.writeHead(behaviour).end();
    } else if (behaviour === 'die') response.destroy();
    else if (behaviour === 'redirect') response.writeHead(301, { location: `${this.url}&redirected` }).end();
    else if (behaviour === 'megabytes') this.flood(request, response);
    else if (behaviour === 'trickle') response.write('x');
  }

  private flood(request: ReceivedRequest, response: ServerResponse): void {
    this.accept(request);
    const write = () => {
      while (!response.destroyed && response.write(MEGABYTE)) this.sentBytes += MEGABYTE.length;
      if (!response.destroyed) response.once('drain', write);
    };
    response.writeHead(200);
    write();
  }

  /** Drops what it has had. */
  private accept(request: ReceivedRequest): void {
    request.accepted = true;
    const { events, complete, head } = request.body;
    for (const event of events) {
      if (event.seq <= this.last) continue;
      if (complete && this.last > 0 && event.seq !== this.last + 1)
        this.faults.push(`gap: ${event.seq} after ${this.last}`);
      if (event.seq > head) this.faults.push(`event ${event.seq} is beyond the head ${head}`);
      this.last = event.seq;
      this.events.push(event);
    }
  }
}
