import type { Config } from '../../src/config.js';
import { PAYMENT_PROVIDER } from '../../src/payments/payment.provider.js';
import type { TestProvider } from '../../src/payments/test.provider.js';
import type { TestHub } from './hub.js';

/** A hub with the built-in provider, where anybody may deposit as well. */
export const withTestProvider: Pick<Config, 'payments'> = {
  payments: {
    ...{ provider: 'test', currency: 'CNY' },
    ...{ stripeSecretKey: undefined, stripeWebhookSecret: undefined, stripeApiUrl: undefined },
  },
};

/** The event of the built-in provider that a top-up was paid, or not, as it sends it. */
export async function signedEvent(
  hub: TestHub,
  topupId: string,
  isPaid = true,
): Promise<{ body: string; headers: Record<string, string> }> {
  const provider: TestProvider = hub.hub.app.get(PAYMENT_PROVIDER);
  const [topup] = await hub.rows<Parameters<TestProvider['eventOf']>[0]>(
    'SELECT topup_id AS topupId, amount, currency FROM topups WHERE topup_id = ?',
    [topupId],
  );
  if (!topup) throw new Error(`There is no top-up ${topupId}`);
  const { body, headers } = provider.eventOf(topup, isPaid);
  return { body: body.toString(), headers: headers as Record<string, string> };
}
