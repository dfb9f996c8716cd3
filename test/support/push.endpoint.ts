import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PushMessage, Subscribed } from '../../src/contract/push.js';
import type { Person } from './person.js';

/** What the endpoint does with a message: answers with a status and headers, or never. */
type Behaviour = number | 'hang' | { status: number; headers: Record<string, string> };

export interface ReceivedPush {
  path: string;
  headers: Record<string, string>;
  /** The encrypted body. */
  bytes: Buffer;
  /** As the browser decrypts it. */
  text: string;
  message: PushMessage;
  token: { aud: string; exp: number; sub: string };
  /** The VAPID key that signed the token. */
  key: string;
  at: number;
}

/** A browser's subscription: its keys, and where it is reached. */
export class BrowserSubscription {
  readonly auth = randomBytes(16);
  private readonly keys: ECDH = createECDH('prime256v1');

  constructor(readonly endpoint: string) {
    this.keys.generateKeys();
  }

  /** What `PushSubscription.toJSON()` gives. */
  toJSON() {
    const p256dh = this.keys.getPublicKey().toString('base64url');
    return { endpoint: this.endpoint, expirationTime: null, keys: { p256dh, auth: this.auth.toString('base64url') } };
  }

  /** Decrypts a message of one record, as RFC 8291 and RFC 8188 say. */
  decrypt(body: Buffer): string {
    const [salt, recordSize, idLength] = [body.subarray(0, 16), body.readUInt32BE(16), body.readUInt8(20)];
    const sender = body.subarray(21, 21 + idLength);
    const record = body.subarray(21 + idLength);
    if (record.length > recordSize) throw new Error('The message has more than one record');
    const secret = this.keys.computeSecret(sender);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.keys.getPublicKey(), sender]);
    const input = Buffer.from(hkdfSync('sha256', secret, this.auth, info, 32));
    const derive = (label: string, length: number) =>
      Buffer.from(hkdfSync('sha256', input, salt, Buffer.from(`Content-Encoding: ${label}\0`), length));
    const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
    decipher.setAuthTag(record.subarray(-16));
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
    const end = padded.lastIndexOf(2);
    if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('The padding is wrong');
    return padded.subarray(0, end).toString();
  }
}

/** A push service of the test's own, which takes nothing that a real one would refuse. */
export class PushEndpoint {
  readonly pushes: ReceivedPush[] = [];
  readonly faults: string[] = [];
  behaviour: Behaviour | ((push: ReceivedPush) => Behaviour) = 201;
  private readonly browsers = new Map<string, BrowserSubscription>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<PushEndpoint> {
    const server = createServer();
    const endpoint = new PushEndpoint(server);
    server.on('request', (request, response) => {
      endpoint.handle(request, response).catch((error: unknown) => {
        endpoint.faults.push(String(error));
        response.writeHead(400).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return endpoint;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A browser that has subscribed here, and is not yet known to the hub. */
  browser(): BrowserSubscription {
    const path = `/send/${randomBytes(12).toString('base64url')}`;
    const browser = new BrowserSubscription(this.origin + path);
    this.browsers.set(path, browser);
    return browser;
  }

  /** Subscribes a new browser of this person. */
  async subscribe(person: Person): Promise<BrowserSubscription & { subscriptionId: string }> {
    const browser = this.browser();
    const { status, body } = await person.post<Subscribed>('/push/subscriptions', { subscription: browser.toJSON() });
    if (status !== 201) throw new Error(`The browser was not subscribed: ${JSON.stringify(body)}`);
    return Object.assign(browser, body);
  }

  /** What this browser was sent. */
  sentTo({ endpoint }: BrowserSubscription): ReceivedPush[] {
    return this.pushes.filter(({ path }) => endpoint.endsWith(path));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const push = this.read(request, Buffer.concat(chunks));
    this.pushes.push(push);
    const behaviour = typeof this.behaviour === 'function' ? this.behaviour(push) : this.behaviour;
    if (behaviour === 'hang') return;
    const { status, headers } = typeof behaviour === 'number' ? { status: behaviour, headers: {} } : behaviour;
    response.writeHead(status, headers).end();
  }

  /** Throws where a real push service, or the browser, would refuse the message. */
  private read(request: IncomingMessage, bytes: Buffer): ReceivedPush {
    const path = request.url ?? '';
    const browser = this.browsers.get(path);
    if (!browser) throw new Error('nobody is subscribed here');
    const headers = request.headers as Record<string, string>;
    if (headers['content-encoding'] !== 'aes128gcm') throw new Error(`encoded as ${headers['content-encoding']}`);
    if (!/^\d+$/.test(headers.ttl ?? '')) throw new Error(`TTL ${headers.ttl}`);
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(headers.topic ?? '')) throw new Error(`Topic ${headers.topic}`);
    const text = browser.decrypt(bytes);
    const message = JSON.parse(text) as PushMessage;
    return { path, headers, bytes, text, message, ...this.readVapid(headers.authorization ?? ''), at: Date.now() };
  }

  /** RFC 8292: a token of the key's owner, for this service, that does not live longer than a day. */
  private readVapid(authorization: string): Pick<ReceivedPush, 'token' | 'key'> {
    const [, jwt = '', key = ''] = /^vapid t=([^,]+), ?k=([A-Za-z0-9_-]+)$/.exec(authorization) ?? [];
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
    if (json(header).alg !== 'ES256') throw new Error(`signed by ${json(header).alg}`);
    const point = Buffer.from(key, 'base64url');
    const coordinates = { x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', ...coordinates }, format: 'jwk' });
    const isSigned = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) throw new Error('the token is not signed by its key');
    const token = json(payload) as ReceivedPush['token'];
    if (token.aud !== this.origin) throw new Error(`the token is for ${token.aud}`);
    const leftSeconds = token.exp - Date.now() / 1_000;
    if (leftSeconds <= 0 || leftSeconds > 86_400) throw new Error(`the token ends in ${leftSeconds} s`);
    if (!/^(mailto:|https:)/.test(token.sub)) throw new Error(`the token is of ${token.sub}`);
    return { token, key };
  }
}
