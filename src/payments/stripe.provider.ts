import type { IncomingHttpHeaders } from 'node:http';
import Stripe from 'stripe';
import type { PaymentConfig } from '../config.js';
import { HubError } from '../contract/errors.js';
import type { Clock } from '../platform/clock/clock.js';
import type { Money, Outcome, PaymentEvent, PaymentPage, PaymentProvider, ProviderTopup } from './payment.provider.js';

/** Of one request, as of every call of a provider. */
const TIMEOUT_MS = 10_000;
/** Stripe keeps idempotency keys for a day at least; after that, a payout is looked for before it is asked for again. */
const KEYS_KEPT_MS = 72_000_000;
const PAYOUTS_LOOKED_AT_MAX = 10_000;
const PAGE_SIZE = 100;
/** Clocks may differ. */
const CLOCK_MARGIN_SECONDS = 300;

type Session = Pick<
  Stripe.Checkout.Session,
  'id' | 'client_reference_id' | 'payment_status' | 'status' | 'amount_total' | 'currency'
>;

/** Stripe: a Checkout Session for a top-up, a payout of the shop's Stripe balance for a withdrawal. */
export class StripeProvider implements PaymentProvider {
  private readonly stripe: Stripe;
  private readonly webhookSecret: string;

  constructor(
    { stripeSecretKey = '', stripeWebhookSecret = '', stripeApiUrl }: PaymentConfig,
    private readonly clock: Clock,
  ) {
    this.webhookSecret = stripeWebhookSecret;
    this.stripe = new Stripe(stripeSecretKey, {
      timeout: TIMEOUT_MS,
      // The hub repeats a call itself: at once by the user's key, or later with a lease.
      maxNetworkRetries: 0,
      telemetry: false,
      ...(stripeApiUrl === undefined ? {} : serverOf(stripeApiUrl)),
    });
  }

  async createPage({ topupId, amount, currency }: ProviderTopup, returnUrl: string): Promise<PaymentPage> {
    const price = { currency: currency.toLowerCase(), unit_amount: amount, product_data: { name: 'Wallet' } };
    try {
      const { id, url } = await this.stripe.checkout.sessions.create(
        {
          mode: 'payment',
          client_reference_id: topupId,
          metadata: { topupId },
          line_items: [{ quantity: 1, price_data: price }],
          success_url: returnUrl,
          cancel_url: returnUrl,
        },
        { idempotencyKey: topupId },
      );
      if (!url) throw new Error(`The session ${id} has no page`);
      return { reference: id, url };
    } catch (error) {
      if (!isRefusal(error) || !/amount/.test(`${error.code} ${error.param}`)) throw error;
      throw HubError.badMessage([{ path: 'amount', problem: 'is not what the payment provider takes' }]);
    }
  }

  readEvent(body: Buffer, headers: IncomingHttpHeaders): PaymentEvent | undefined {
    const { type, id, data } = this.verified(body, String(headers['stripe-signature'] ?? ''));
    switch (type) {
      case 'checkout.session.completed':
      case 'checkout.session.async_payment_succeeded':
      case 'checkout.session.async_payment_failed':
      case 'checkout.session.expired': {
        const session = data.object as Session;
        const hasFailed = type === 'checkout.session.async_payment_failed';
        const outcome = hasFailed ? { paid: null } : outcomeOf(session);
        const names = { topupId: session.client_reference_id ?? null, reference: session.id };
        return outcome && { kind: 'topup', eventId: id, ...names, ...outcome };
      }
      case 'payout.failed':
      case 'payout.canceled': {
        const { payoutId } = (data.object as Stripe.Payout).metadata ?? {};
        return payoutId === undefined ? undefined : { kind: 'payout', payoutId, isPaid: false };
      }
      default:
        return undefined;
    }
  }

  async outcomeOf({ reference }: ProviderTopup): Promise<Outcome | undefined> {
    return reference === null ? undefined : outcomeOf(await this.stripe.checkout.sessions.retrieve(reference));
  }

  async payOut(payout: Money & { payoutId: string; createdAt: number }): Promise<boolean> {
    const { payoutId, amount, currency, createdAt } = payout;
    if (this.clock.now() - createdAt > KEYS_KEPT_MS && (await this.hasPayout(payoutId, createdAt))) return true;
    try {
      const request = { amount, currency: currency.toLowerCase(), metadata: { payoutId } };
      const { status } = await this.stripe.payouts.create(request, { idempotencyKey: payoutId });
      return status !== 'failed' && status !== 'canceled';
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  private async hasPayout(payoutId: string, createdAt: number): Promise<boolean> {
    const created = { gte: Math.floor(createdAt / 1_000) - CLOCK_MARGIN_SECONDS };
    let looked = 0;
    for await (const { metadata, status } of this.stripe.payouts.list({ created, limit: PAGE_SIZE })) {
      if (metadata?.payoutId === payoutId && status !== 'failed' && status !== 'canceled') return true;
      if (++looked === PAYOUTS_LOOKED_AT_MAX) throw new Error('There are too many payouts to look at');
    }
    return false;
  }

  private verified(body: Buffer, signature: string): Stripe.Event {
    try {
      const now = this.clock.realNow();
      return this.stripe.webhooks.constructEvent(body, signature, this.webhookSecret, undefined, undefined, now);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) throw new HubError('UNAUTHENTICATED');
      throw error;
    }
  }
}

/** What a session says of its payment; undefined while it is open or the payment under way. */
function outcomeOf({ payment_status, status, amount_total, currency }: Session): Outcome | undefined {
  if (payment_status !== 'unpaid') {
    return { paid: { amount: amount_total ?? 0, currency: (currency ?? '').toUpperCase() } };
  }
  return status === 'expired' ? { paid: null } : undefined;
}

/** Stripe has understood the request and will not do it; anything else may be asked for again. */
function isRefusal(error: unknown): error is Stripe.errors.StripeInvalidRequestError {
  return error instanceof Stripe.errors.StripeInvalidRequestError && error.statusCode === 400;
}

function serverOf(url: string): Pick<Stripe.StripeConfig, 'protocol' | 'host' | 'port'> {
  const { protocol, hostname, port } = new URL(url);
  const isPlain = protocol === 'http:';
  return { protocol: isPlain ? 'http' : 'https', host: hostname, port: port || (isPlain ? 80 : 443) };
}
