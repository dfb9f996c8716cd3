import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { v4 as uuid } from 'uuid';
import { z } from 'zod';
import { HubError } from '../contract/errors.js';
import type { Clock } from '../platform/clock/clock.js';
import type { Outcome, PaymentEvent, PaymentPage, PaymentProvider, ProviderTopup } from './payment.provider.js';

export const TEST_PAGE_PATH = '/payments/test';
const SIGNATURE_HEADER = 'test-signature';
/** As long as a page of Stripe's. */
const PAGE_TTL_MS = 86_400_000;

const eventBody = z.object({
  eventId: z.string().max(191),
  topupId: z.string(),
  paid: z.object({ amount: z.number(), currency: z.string() }).nullable(),
});

/**
 * The built-in provider: a page of the hub where one says yes or no. Anybody may say yes, so that it is for this machine only
 * (config.ts). Its secret is the process's own, because its events come from the page of the same process.
 */
export class TestProvider implements PaymentProvider {
  private readonly secret = randomBytes(32);

  constructor(
    private readonly clock: Clock,
    private readonly ownUrl: () => string,
  ) {}

  async createPage({ topupId }: ProviderTopup): Promise<PaymentPage> {
    return { reference: topupId, url: `${this.ownUrl()}${TEST_PAGE_PATH}/${topupId}` };
  }

  /** The event that saying yes or no causes, with its signature. */
  eventOf(
    { topupId, amount, currency }: ProviderTopup,
    isPaid: boolean,
  ): { body: Buffer; headers: IncomingHttpHeaders } {
    const event = { eventId: uuid(), topupId, paid: isPaid ? { amount, currency } : null };
    const body = Buffer.from(JSON.stringify(event));
    return { body, headers: { [SIGNATURE_HEADER]: this.sign(body).toString('hex') } };
  }

  readEvent(body: Buffer, headers: IncomingHttpHeaders): PaymentEvent {
    const given = Buffer.from(String(headers[SIGNATURE_HEADER] ?? ''), 'hex');
    const expected = this.sign(body);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new HubError('UNAUTHENTICATED');
    const event = eventBody.parse(JSON.parse(body.toString()));
    return { kind: 'topup', reference: null, ...event };
  }

  async outcomeOf({ createdAt }: ProviderTopup): Promise<Outcome | undefined> {
    return this.clock.now() - createdAt > PAGE_TTL_MS ? { paid: null } : undefined;
  }

  async payOut(): Promise<boolean> {
    return true;
  }

  private sign(body: Buffer): Buffer {
    return createHmac('sha256', this.secret).update(body).digest();
  }
}
