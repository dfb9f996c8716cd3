import type { z } from 'zod';
import type { FundsMode, PaymentProviderName } from './contract/payments.js';
import type { Settlement } from './contract/transitions.js';
import { isLoopback } from './platform/http/loopback.js';
import { publicKeyOf } from './platform/http/p256.js';

/* What settings need of one another. Each fault names the setting, its value, and what to set. */

/** What the settings of payments need of one another. */
export function checkPayments(
  variable: {
    HOST: string;
    FUNDS: FundsMode;
    PAYMENT_PROVIDER?: PaymentProviderName | undefined;
    STRIPE_SECRET_KEY?: string | undefined;
    STRIPE_WEBHOOK_SECRET?: string | undefined;
  },
  { addIssue }: z.RefinementCtx,
): void {
  const issue = (path: string, message: string) => addIssue({ code: 'custom', path: [path], message });
  const { HOST, FUNDS, PAYMENT_PROVIDER } = variable;
  if (PAYMENT_PROVIDER === 'test' && !isLoopback(HOST)) {
    issue('PAYMENT_PROVIDER', `test is for this machine only, and HOST is ${HOST}: set stripe, or HOST=127.0.0.1`);
  }
  if (FUNDS !== 'provider' || PAYMENT_PROVIDER !== 'stripe') return;
  for (const name of ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const) {
    if (variable[name] === undefined) issue(name, 'is not set, and PAYMENT_PROVIDER=stripe needs it');
  }
}

/** What tests may do to a hub must not come from other machines, of which a proxy may speak. */
export function checkSandbox(
  { HOST, SANDBOX, TRUST_PROXY }: { HOST: string; SANDBOX: 'on' | 'off'; TRUST_PROXY: boolean },
  { addIssue }: z.RefinementCtx,
): void {
  if (SANDBOX === 'off' || (isLoopback(HOST) && !TRUST_PROXY)) return;
  const message = isLoopback(HOST)
    ? 'on is for this machine only, and TRUST_PROXY is true: set SANDBOX=off, or TRUST_PROXY=false'
    : `on is for this machine only, and HOST is ${HOST}: set SANDBOX=off, or HOST=127.0.0.1`;
  addIssue({ code: 'custom', path: ['SANDBOX'], message });
}

/** Both keys of one pair, or neither. */
export function checkVapid(
  { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey }: VapidVariables,
  { addIssue }: z.RefinementCtx,
): void {
  const issue = (path: string, message: string) => addIssue({ code: 'custom', path: [path], message });
  if (publicKey !== undefined && privateKey === undefined) {
    issue('VAPID_PRIVATE_KEY', 'is not set, and VAPID_PUBLIC_KEY is: set both, or neither');
  } else if (publicKey === undefined && privateKey !== undefined) {
    issue('VAPID_PUBLIC_KEY', 'is not set, and VAPID_PRIVATE_KEY is: set both, or neither');
  } else if (privateKey !== undefined && publicKeyOf(privateKey) !== publicKey) {
    issue('VAPID_PUBLIC_KEY', 'is not the public key of VAPID_PRIVATE_KEY');
  }
}

export interface VapidVariables {
  VAPID_PUBLIC_KEY?: string | undefined;
  VAPID_PRIVATE_KEY?: string | undefined;
}

/** Only what the hub holds can always be given back. */
export function checkShipping(
  { SETTLE_AT, SHIP_WITHIN_SECONDS }: { SETTLE_AT: Settlement; SHIP_WITHIN_SECONDS: number },
  { addIssue }: z.RefinementCtx,
): void {
  if (SHIP_WITHIN_SECONDS === 0 || SETTLE_AT === 'received') return;
  const message = `${SHIP_WITHIN_SECONDS} needs SETTLE_AT=received: set that too, or SHIP_WITHIN_SECONDS=0`;
  addIssue({ code: 'custom', path: ['SHIP_WITHIN_SECONDS'], message });
}
