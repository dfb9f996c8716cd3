import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Stripe from 'stripe';
import type { Config } from '../../src/config.js';

export const WEBHOOK_SECRET = 'whsec_of-the-tests';

/** A checkout session as Stripe has it. */
interface Session {
  id: string;
  object: 'checkout.session';
  client_reference_id: string;
  metadata: Record<string, string>;
  amount_total: number;
  currency: string;
  payment_status: 'paid' | 'unpaid';
  status: 'open' | 'complete' | 'expired';
  url: string;
}

interface Payout {
  id: string;
  object: 'payout';
  amount: number;
  currency: string;
  status: string;
  created: number;
  metadata: Record<string, string>;
}

/** How the next calls go: `mute` never answers, `mute-after` has done what it was asked for. */
type Mood = 'well' | 'down' | 'mute' | 'mute-after' | 'slow' | 'refusing';

const SLOW_MS = 1_500;

/** Speaks as much of Stripe's HTTP as the hub uses, keeps its own books, and signs its events with Stripe's own package. */
export class StripeServer {
  mood: Mood = 'well';
  readonly sessions = new Map<string, Session>();
  readonly payouts = new Map<string, Payout>();
  /** The calls that have arrived, with their idempotency keys. */
  readonly calls: { path: string; key: string | undefined }[] = [];
  /** First answers, by idempotency key. */
  private readonly answers = new Map<string, { status: number; body: object }>();
  private readonly stripe = new Stripe('sk_test_of-the-tests');
  private counter = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<StripeServer> {
    const server = createServer((request, response) => {
      void stand.answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stand = new StripeServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return stand;
  }

  get config(): Pick<Config, 'payments'> {
    const stripe = { stripeSecretKey: 'sk_test_of-the-tests', stripeWebhookSecret: WEBHOOK_SECRET };
    return { payments: { provider: 'stripe', currency: 'CNY', ...stripe, stripeApiUrl: this.url } };
  }

  get variables(): Record<string, string> {
    return {
      ...{ FUNDS: 'provider', PAYMENT_PROVIDER: 'stripe', STRIPE_API_URL: this.url },
      ...{ STRIPE_SECRET_KEY: 'sk_test_of-the-tests', STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET },
    };
  }

  /** What users have paid, and what was paid out, in minor units. */
  get books(): { paidIn: number; paidOut: number } {
    const paid = [...this.sessions.values()].filter((session) => session.payment_status === 'paid');
    const out = [...this.payouts.values()].filter(({ status }) => status !== 'failed');
    return {
      paidIn: paid.reduce((sum, session) => sum + session.amount_total, 0),
      paidOut: out.reduce((sum, payout) => sum + payout.amount, 0),
    };
  }

  sessionOf(topupId: string): Session {
    const found = [...this.sessions.values()].filter((session) => session.client_reference_id === topupId);
    const [session] = found;
    if (!session || found.length > 1) throw new Error(`${topupId} has ${found.length} sessions`);
    return session;
  }

  /** The user pays at the session's page. Returns the event. */
  pay(topupId: string): string {
    const session = this.sessionOf(topupId);
    Object.assign(session, { payment_status: 'paid', status: 'complete' });
    return this.eventOf('checkout.session.completed', session);
  }

  /** Nobody pays. Returns the event. */
  expire(topupId: string): string {
    const session = this.sessionOf(topupId);
    session.status = 'expired';
    return this.eventOf('checkout.session.expired', session);
  }

  /** A new event about an object, as it is sent. */
  eventOf(type: string, object: object, id = `evt_${++this.counter}`): string {
    return JSON.stringify({ id, object: 'event', type, api_version: '2026-01-01', created: 1, data: { object } });
  }

  /** Sends an event, signed. */
  async send(hubUrl: string, payload: string, header = this.sign(payload)): Promise<{ status: number; body: unknown }> {
    const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': header };
    const response = await fetch(`${hubUrl}/payments/events`, { method: 'POST', headers, body: payload });
    return { status: response.status, body: await response.json() };
  }

  sign(payload: string, secret = WEBHOOK_SECRET, timestamp = Math.floor(Date.now() / 1_000)): string {
    return this.stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  }

  /** What Stripe does after a day. */
  forgetKeys(): void {
    this.answers.clear();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname } = new URL(request.url ?? '', this.url);
    const key = request.headers['idempotency-key'] as string | undefined;
    this.calls.push({ path: `${request.method} ${pathname}`, key });
    const { mood } = this;
    if (mood === 'mute') return;
    if (mood === 'down') return void reply(response, 503, errorBody('api_error', 'Down.'));
    if (mood === 'slow') await sleep(SLOW_MS);
    const parameters = new URLSearchParams(Buffer.concat(chunks).toString());
    const { status, body } = this.once(key, () => this.serve(`${request.method} ${pathname}`, parameters, mood));
    if (mood !== 'mute-after') reply(response, status, body);
  }

  private once(key: string | undefined, serve: () => { status: number; body: object }) {
    const first = key === undefined ? undefined : this.answers.get(key);
    if (first) return first;
    const answer = serve();
    if (key !== undefined) this.answers.set(key, answer);
    return answer;
  }

  private serve(call: string, parameters: URLSearchParams, mood: Mood): { status: number; body: object } {
    if (mood === 'refusing')
      return { status: 400, body: errorBody('invalid_request_error', 'No.', 'amount_too_small') };
    if (call === 'POST /v1/checkout/sessions') return { status: 200, body: this.createSession(parameters) };
    if (call === 'POST /v1/payouts') return { status: 200, body: this.createPayout(parameters) };
    if (call === 'GET /v1/payouts') {
      return { status: 200, body: { object: 'list', data: [...this.payouts.values()], has_more: false } };
    }
    const session = this.sessions.get(call.replace('GET /v1/checkout/sessions/', ''));
    return session
      ? { status: 200, body: session }
      : { status: 404, body: errorBody('invalid_request_error', 'None.') };
  }

  private createSession(parameters: URLSearchParams): Session {
    const id = `cs_test_${++this.counter}`;
    const text = (name: string) => parameters.get(name) ?? '';
    const session: Session = {
      ...{ id, object: 'checkout.session', client_reference_id: text('client_reference_id') },
      metadata: { topupId: text('metadata[topupId]') },
      amount_total: Number(text('line_items[0][price_data][unit_amount]')),
      currency: text('line_items[0][price_data][currency]'),
      ...{ payment_status: 'unpaid', status: 'open', url: `${this.url}/pay/${id}` },
    };
    this.sessions.set(id, session);
    return session;
  }

  private createPayout(parameters: URLSearchParams): Payout {
    const id = `po_${++this.counter}`;
    const payout: Payout = {
      ...{ id, object: 'payout', amount: Number(parameters.get('amount')), currency: parameters.get('currency') ?? '' },
      ...{ status: 'pending', created: 1, metadata: { payoutId: parameters.get('metadata[payoutId]') ?? '' } },
    };
    this.payouts.set(id, payout);
    return payout;
  }
}

function errorBody(type: string, message: string, code?: string): object {
  return { error: { type, message, ...(code === undefined ? {} : { code }) } };
}

function reply(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
