import { z } from 'zod';

const seconds = (min: number) =>
  z.coerce
    .number()
    .int()
    .min(min)
    .max(10 ** 9);
const origin = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin);

/** Every variable that the hub reads. `npm start` with a bad one stops, and names it. */
const variables = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATABASE_URL: z
    .string()
    .regex(/^(sqlite:.+|mysql:\/\/.+\/.+)$/, 'must be sqlite:<file> or mysql://user:password@host:port/database')
    .refine((url) => url.startsWith('sqlite:') || URL.canParse(url), 'must be a URL')
    .default('sqlite:data/order-hub.sqlite'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be redis://host:port')
    .refine((url) => URL.canParse(url), 'must be a URL')
    .optional(),
  UNPAID_TTL_SECONDS: seconds(1).default(900),
  AUTO_RECEIVE_SECONDS: seconds(0).default(864_000),
  SESSION_TTL_SECONDS: seconds(1).default(604_800),
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
  ADMIN_PASSWORD: z.string().min(12).optional(),
  RATE_LIMITS: z.enum(['on', 'off']).default('on'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

export interface Config {
  port: number;
  host: string;
  databaseUrl: string;
  /** Where hubs tell each other that there is something to read; without it they look by themselves. */
  redisUrl: string | undefined;
  /** When an unpaid order is cancelled. */
  unpaidTtlSeconds: number;
  /** When a shipped order counts as received; 0 is never. */
  autoReceiveSeconds: number;
  sessionTtlSeconds: number;
  /** Origins besides the hub's own whose pages may connect. */
  allowedOrigins: string[];
  trustProxy: boolean;
  /** Where traces are sent, over OTLP; without it there are none. */
  traceEndpoint: string | undefined;
  /** Switches Socket.IO's admin UI on. */
  adminPassword: string | undefined;
  /** Whether what counts by time, user and address is limited. What protects the hub itself always is. */
  rateLimits: boolean;
  logLevel: z.infer<typeof variables>['LOG_LEVEL'];
}

export const CONFIG = Symbol('CONFIG');

/** Reads the configuration, or throws an error with a line for every bad variable. An empty variable is one not set. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = variables.safeParse(given);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path[0]?.toString()}: ${issue.message}`);
    throw new Error(`The configuration cannot be used:\n${lines.join('\n')}`);
  }
  const variable = result.data;
  return Object.freeze({
    port: variable.PORT,
    host: variable.HOST,
    databaseUrl: variable.DATABASE_URL,
    redisUrl: variable.REDIS_URL,
    unpaidTtlSeconds: variable.UNPAID_TTL_SECONDS,
    autoReceiveSeconds: variable.AUTO_RECEIVE_SECONDS,
    sessionTtlSeconds: variable.SESSION_TTL_SECONDS,
    allowedOrigins: variable.ALLOWED_ORIGINS,
    trustProxy: variable.TRUST_PROXY,
    traceEndpoint: variable.OTEL_EXPORTER_OTLP_ENDPOINT,
    adminPassword: variable.ADMIN_PASSWORD,
    rateLimits: variable.RATE_LIMITS === 'on',
    logLevel: variable.LOG_LEVEL,
  });
}
