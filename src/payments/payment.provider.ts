import type { IncomingHttpHeaders } from 'node:http';

/** An amount in minor units of a currency (ISO 4217). */
export interface Money {
  amount: number;
  currency: string;
}

/** A top-up as it is sent to its provider. */
export interface ProviderTopup extends Money {
  topupId: string;
  /** The provider's name for it; null before it has answered. */
  reference: string | null;
  /** Epoch milliseconds. */
  createdAt: number;
}

export interface PaymentPage {
  reference: string;
  url: string;
}

/** What was paid; null if nothing was and nothing will be. */
export type Outcome = { paid: Money | null };

export type PaymentEvent =
  | ({ kind: 'topup'; eventId: string; topupId: string | null; reference: string | null } & Outcome)
  /** The bank has sent a payout back. */
  | { kind: 'payout'; payoutId: string; isPaid: boolean };

/** A payment provider. Methods that ask it reject when it is out of reach: the same call may be repeated, with one effect. */
export interface PaymentProvider {
  /** The page where the user pays; the same one for the same top-up. Throws `BAD_MESSAGE` if the provider refuses the amount. */
  createPage(topup: ProviderTopup, returnUrl: string): Promise<PaymentPage>;
  /**
   * The event in a webhook's body, undefined if it says nothing of money. Throws `UNAUTHENTICATED` unless the provider has signed it,
   * before anything of it is read.
   */
  readEvent(body: Buffer, headers: IncomingHttpHeaders): PaymentEvent | undefined;
  /** How a top-up stands, for those whose event never came; undefined while it is pending. */
  outcomeOf(topup: ProviderTopup): Promise<Outcome | undefined>;
  /** Pays out, once for a `payoutId` however often it is asked. Returns false if the provider refuses. */
  payOut(payout: Money & { payoutId: string; createdAt: number }): Promise<boolean>;
}

/** The injected provider: undefined where the hub has none. */
export const PAYMENT_PROVIDER = Symbol('PAYMENT_PROVIDER');
