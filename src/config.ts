import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { type FundsMode, fundsModes, type PaymentProviderName, paymentProviders } from './contract/payments.js';
import { type Settlement, settlements } from './contract/transitions.js';
import { parseDatabaseUrl } from './platform/database/database.url.js';
import { parseRedisUrl } from './platform/redis/redis.url.js';

const seconds = (min: number) =>
  z.coerce
    .number()
    .int()
    .min(min)
    .max(10 ** 9);
const origin = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin);

/** A URL that its only parser understands. The parser's error names the problem without a password. */
const url = (parse: (text: string) => unknown) =>
  z.string().superRefine((text, { addIssue }) => {
    try {
      parse(text);
    } catch (error) {
      addIssue((error as Error).message);
    }
  });

/** Whether only this machine can reach what listens on this address. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(address)) return address.toLowerCase() === 'localhost';
  return ipaddr.process(address).range() === 'loopback';
}

/** Every environment variable that the hub reads. An invalid one stops the start with a message that names it. */
const single = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATABASE_URL: url(parseDatabaseUrl).default('sqlite:data/order-hub.sqlite'),
  REDIS_URL: url(parseRedisUrl).optional(),
  UNPAID_TTL_SECONDS: seconds(1).default(900),
  AUTO_RECEIVE_SECONDS: seconds(0).default(864_000),
  SETTLE_AT: z.enum(settlements).default('paid'),
  SHIP_WITHIN_SECONDS: seconds(0).default(0),
  SESSION_TTL_SECONDS: seconds(1).default(604_800),
  REGISTRATION: z.enum(['open', 'closed']).default('open'),
  CURRENCY: z
    .enum(Intl.supportedValuesOf('currency'), 'must be a currency code of ISO 4217, such as CNY')
    .default('CNY'),
  STORES_NEED_ADDRESS: z.stringbool().default(false),
  KEEP_PERSONAL_DAYS: z.coerce.number().int().min(1).max(36_500).optional(),
  ALLOWED_ORIGINS: z
    .string()
    .transform((list) =>
      list
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    )
    .pipe(z.array(origin))
    .default([]),
  TRUST_PROXY: z.stringbool().default(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OPERATOR_KEY: z
    .string()
    .regex(/^[!-~]{32,}$/, 'must be 32 or more characters from ! to ~')
    .optional(),
  FUNDS: z.enum(fundsModes).default('open'),
  PAYMENT_PROVIDER: z.enum(paymentProviders).optional(),
  STRIPE_SECRET_KEY: z.string().min(1).optional(),
  STRIPE_WEBHOOK_SECRET: z.string().min(1).optional(),
  STRIPE_API_URL: origin.optional(),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  ADMIN_PASSWORD: z.string().min(12).optional(),
  WEBHOOKS_PRIVATE: z.stringbool().default(false),
  RATE_LIMITS: z.enum(['on', 'off']).default('on'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** What the settings of payments need of one another. */
function checkPayments(
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

/** Checked once each of them is valid by itself. */
const variables = single.superRefine(checkPayments).superRefine(({ SETTLE_AT, SHIP_WITHIN_SECONDS }, { addIssue }) => {
  // Only what the hub holds can always be given back.
  if (SHIP_WITHIN_SECONDS === 0 || SETTLE_AT === 'received') return;
  const message = `${SHIP_WITHIN_SECONDS} needs SETTLE_AT=received: set that too, or SHIP_WITHIN_SECONDS=0`;
  addIssue({ code: 'custom', path: ['SHIP_WITHIN_SECONDS'], message });
});

/** The payment provider, and what it is reached with. */
export interface PaymentConfig {
  provider: PaymentProviderName;
  /** ISO 4217. */
  currency: string;
  stripeSecretKey: string | undefined;
  stripeWebhookSecret: string | undefined;
  /** In place of Stripe's own, for tests. */
  stripeApiUrl: string | undefined;
}

export interface Config {
  port: number;
  host: string;
  databaseUrl: string;
  /** The wakeup channel between hubs. Without it, each hub polls the database for the others' events. */
  redisUrl: string | undefined;
  /** How long an order may stay unpaid before it is cancelled. */
  unpaidTtlSeconds: number;
  /** How long after shipping an order is marked as received; 0 disables this. */
  autoReceiveSeconds: number;
  /** When an order's money goes to its seller. Orders keep what was set when they were placed. */
  settleAt: Settlement;
  /** How long after paying an order that is not shipped is cancelled and refunded; 0 disables this. Kept like `settleAt`. */
  shipWithinSeconds: number;
  sessionTtlSeconds: number;
  /** Whether anyone may register; if not, users come by `POST /auth/sessions`. */
  registration: 'open' | 'closed';
  /** The currency of all amounts, as ISO 4217 names it. */
  currency: string;
  /** Whether an order must say where it is to be delivered. */
  storesNeedAddress: boolean;
  /** How long after an order's end its address and notes are erased; never by itself if undefined. */
  keepPersonalDays: number | undefined;
  /** Origins, other than the hub's own, whose pages may connect. */
  allowedOrigins: string[];
  /** Whether to believe what the proxy in front forwards: the client's address, the host and the scheme. */
  trustProxy: boolean;
  /** The OTLP endpoint for traces; without it, tracing is off. */
  traceEndpoint: string | undefined;
  /** The bearer token with which the shop's backend signs its users in; without it, nobody has these rights. */
  operatorKey: string | undefined;
  /** Where money comes from: from anybody who says so, or from the operator and the payment provider. */
  funds: FundsMode;
  /** Undefined where the hub has no payment provider. */
  payments: PaymentConfig | undefined;
  /** Where users reach the pages, if not at the address that the hub listens on. */
  publicUrl: string | undefined;
  /** The password of Socket.IO's admin UI; without it, the admin UI is off. */
  adminPassword: string | undefined;
  /** Whether webhooks may go to private addresses, and over http: for tests. */
  webhooksPrivate: boolean;
  /** Whether the per-user and per-address rate limits apply. Overload protection is always on. */
  rateLimits: boolean;
  logLevel: z.infer<typeof variables>['LOG_LEVEL'];
}

export const CONFIG = Symbol('CONFIG');

/**
 * Reads the configuration from environment variables; an empty one counts as unset. Throws an `Error` with one line for each
 * invalid variable, which repeats no value that may be a secret.
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const nonEmpty = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = variables.superRefine(checkPayments).safeParse(nonEmpty);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path[0]?.toString()}: ${issue.message}`);
    throw new Error(`The configuration is invalid:\n${lines.join('\n')}`);
  }
  const variable = result.data;
  return Object.freeze({
    port: variable.PORT,
    host: variable.HOST,
    databaseUrl: variable.DATABASE_URL,
    redisUrl: variable.REDIS_URL,
    unpaidTtlSeconds: variable.UNPAID_TTL_SECONDS,
    autoReceiveSeconds: variable.AUTO_RECEIVE_SECONDS,
    settleAt: variable.SETTLE_AT,
    shipWithinSeconds: variable.SHIP_WITHIN_SECONDS,
    sessionTtlSeconds: variable.SESSION_TTL_SECONDS,
    registration: variable.REGISTRATION,
    currency: variable.CURRENCY,
    storesNeedAddress: variable.STORES_NEED_ADDRESS,
    keepPersonalDays: variable.KEEP_PERSONAL_DAYS,
    allowedOrigins: variable.ALLOWED_ORIGINS,
    trustProxy: variable.TRUST_PROXY,
    traceEndpoint: variable.OTEL_EXPORTER_OTLP_ENDPOINT,
    operatorKey: variable.OPERATOR_KEY,
    funds: variable.FUNDS,
    payments: paymentConfig(variable),
    publicUrl: variable.PUBLIC_URL,
    adminPassword: variable.ADMIN_PASSWORD,
    webhooksPrivate: variable.WEBHOOKS_PRIVATE,
    rateLimits: variable.RATE_LIMITS === 'on',
    logLevel: variable.LOG_LEVEL,
  });
}

function paymentConfig(variable: z.infer<typeof variables>): PaymentConfig | undefined {
  const { FUNDS, PAYMENT_PROVIDER: provider, CURRENCY: currency } = variable;
  if (FUNDS !== 'provider' || provider === undefined) return undefined;
  const { STRIPE_SECRET_KEY: stripeSecretKey, STRIPE_WEBHOOK_SECRET: stripeWebhookSecret } = variable;
  return { provider, currency, stripeSecretKey, stripeWebhookSecret, stripeApiUrl: variable.STRIPE_API_URL };
}
