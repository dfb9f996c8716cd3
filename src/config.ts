import { z } from 'zod';
import { checkPayments, checkSandbox, checkShipping, checkVapid, type VapidVariables } from './config.checks.js';
import { withSecretFiles } from './config.secrets.js';
import { type FundsMode, fundsModes, type PaymentProviderName, paymentProviders } from './contract/payments.js';
import { type Settlement, settlements } from './contract/transitions.js';
import { parseDatabaseUrl } from './platform/database/database.url.js';
import { isPoint, publicKeyOf } from './platform/http/p256.js';
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
  SANDBOX: z.enum(['on', 'off']).default('off'),
  VAPID_PUBLIC_KEY: z
    .string()
    .transform((key) => key.replace(/={1,2}$/, ''))
    .refine(isPoint, 'must be the base64url of an uncompressed point of P-256')
    .optional(),
  VAPID_PRIVATE_KEY: z
    .string()
    .refine((key) => publicKeyOf(key) !== undefined, 'must be the base64url of the 32 bytes of a private key of P-256')
    .optional(),
  RATE_LIMITS: z.enum(['on', 'off']).default('on'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** Checked once each of them is valid by itself. */
const variables = single
  .superRefine(checkPayments)
  .superRefine(checkSandbox)
  .superRefine(checkVapid)
  .superRefine(checkShipping);

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
  /** Whether tests may move the time, spoil messages and empty the hub. */
  sandbox: boolean;
  /** The keys that sign push messages; without them, the hub makes a pair once and keeps it. */
  vapidKeys: { publicKey: string; privateKey: string } | undefined;
  /** Whether the per-user and per-address rate limits apply. Overload protection is always on. */
  rateLimits: boolean;
  logLevel: z.infer<typeof variables>['LOG_LEVEL'];
}

export const CONFIG = Symbol('CONFIG');

/**
 * Reads the configuration from environment variables, and from the files that those of secrets name; an empty one counts as unset. Throws an `Error` with one line for each
 * invalid variable, which repeats no value that may be a secret.
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const { environment: read, problems } = withSecretFiles(environment);
  const result = variables.safeParse(Object.fromEntries(Object.entries(read).filter(([, value]) => value !== '')));
  const issues = result.error?.issues.map((issue) => `${issue.path[0]?.toString()}: ${issue.message}`) ?? [];
  const lines = [...problems, ...issues].map((line) => `  ${line}`);
  if (!result.success || problems.length > 0) throw new Error(`The configuration is invalid:\n${lines.join('\n')}`);
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
    sandbox: variable.SANDBOX === 'on',
    vapidKeys: vapidKeys(variable),
    rateLimits: variable.RATE_LIMITS === 'on',
    logLevel: variable.LOG_LEVEL,
  });
}

function vapidKeys({
  VAPID_PUBLIC_KEY: publicKey,
  VAPID_PRIVATE_KEY: privateKey,
}: VapidVariables): Config['vapidKeys'] {
  return publicKey === undefined || privateKey === undefined ? undefined : { publicKey, privateKey };
}

function paymentConfig(variable: z.infer<typeof variables>): PaymentConfig | undefined {
  const { FUNDS, PAYMENT_PROVIDER: provider, CURRENCY: currency } = variable;
  if (FUNDS !== 'provider' || provider === undefined) return undefined;
  const { STRIPE_SECRET_KEY: stripeSecretKey, STRIPE_WEBHOOK_SECRET: stripeWebhookSecret } = variable;
  return { provider, currency, stripeSecretKey, stripeWebhookSecret, stripeApiUrl: variable.STRIPE_API_URL };
}
