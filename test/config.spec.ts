import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../src/config.js';

describe('the configuration', () => {
  test('has a default for every variable', () => {
    expect(readConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      databaseUrl: 'sqlite:data/order-hub.sqlite',
      redisUrl: undefined,
      unpaidTtlSeconds: 900,
      autoReceiveSeconds: 864_000,
      settleAt: 'paid',
      shipWithinSeconds: 0,
      sessionTtlSeconds: 604_800,
      registration: 'open',
      currency: 'CNY',
      allowedOrigins: [],
      trustProxy: false,
      storesNeedAddress: false,
      webhooksPrivate: false,
      rateLimits: true,
      funds: 'open',
      logLevel: 'info',
    });
  });

  test.each(['.env.example', 'docs/configuration.md'])('is described in %s, every variable of it', (path) => {
    const variables = readFileSync('src/config.ts', 'utf8').matchAll(/^ {2}([A-Z][A-Z_]+): /gm);
    const document = readFileSync(path, 'utf8');
    const names = [...variables].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(document))).toEqual([]);
  });

  test('treats an empty variable as unset', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '' })).toEqual(readConfig({}));
  });

  test('parses a comma-separated list of origins', () => {
    const { allowedOrigins } = readConfig({ ALLOWED_ORIGINS: 'https://shop.example, http://localhost:5173/' });
    expect(allowedOrigins).toEqual(['https://shop.example', 'http://localhost:5173']);
  });

  test('normalizes origins', () => {
    const { allowedOrigins } = readConfig({ ALLOWED_ORIGINS: 'HTTPS://SHOP.example:443,http://[2001:DB8:0::1]:80' });
    expect(allowedOrigins).toEqual(['https://shop.example', 'http://[2001:db8::1]']);
  });

  test('can disable the automatic receipt', () => {
    expect(readConfig({ AUTO_RECEIVE_SECONDS: '0' }).autoReceiveSeconds).toBe(0);
  });

  const invalid: [string, string][] = [
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['DATABASE_URL', 'postgres://localhost/orders'],
    ['DATABASE_URL', 'mysql://localhost'],
    ['DATABASE_URL', 'sqlite:'],
    ['REDIS_URL', 'localhost:6379'],
    ['UNPAID_TTL_SECONDS', '0'],
    ['UNPAID_TTL_SECONDS', '1.5'],
    ['AUTO_RECEIVE_SECONDS', '-1'],
    ['SETTLE_AT', 'shipped'],
    ['SHIP_WITHIN_SECONDS', '-1'],
    ['SESSION_TTL_SECONDS', 'a week'],
    ['REGISTRATION', 'maybe'],
    ['CURRENCY', 'yuan'],
    ['CURRENCY', 'ABC'],
    ['ALLOWED_ORIGINS', 'shop.example'],
    ['TRUST_PROXY', 'perhaps'],
    ['WEBHOOKS_PRIVATE', 'sometimes'],
    ['RATE_LIMITS', 'some'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
    ['ADMIN_PASSWORD', 'too short'],
    ['LOG_LEVEL', 'loud'],
  ];
  test.each([
    ['PAYMENT_PROVIDER', { PAYMENT_PROVIDER: 'test', HOST: '0.0.0.0' }],
    ['PAYMENT_PROVIDER', { PAYMENT_PROVIDER: 'test', HOST: '::' }],
    ['PAYMENT_PROVIDER', { PAYMENT_PROVIDER: 'test', HOST: 'shop.example', FUNDS: 'provider' }],
    ['STRIPE_WEBHOOK_SECRET', { FUNDS: 'provider', PAYMENT_PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk' }],
    ['STRIPE_SECRET_KEY', { FUNDS: 'provider', PAYMENT_PROVIDER: 'stripe', STRIPE_WEBHOOK_SECRET: 'whsec_1' }],
  ])('names %s where other settings need it otherwise: %j', (name, variables) => {
    expect(() => readConfig(variables)).toThrow(`\n  ${name}: `);
  });

  test.each(['127.0.0.1', '127.8.0.1', '::1', '[::1]', 'localhost'])('has a test provider at %s', (HOST) => {
    expect(readConfig({ HOST, FUNDS: 'provider', PAYMENT_PROVIDER: 'test' }).payments?.provider).toBe('test');
  });

  test.each(invalid)('rejects %s=%j', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(`\n  ${name}: `);
  });

  test.each<Record<string, string>>([{}, { SETTLE_AT: 'paid' }])(
    'rejects SHIP_WITHIN_SECONDS without SETTLE_AT=received (%j), in one line that names both',
    (others) => {
      const read = () => readConfig({ SHIP_WITHIN_SECONDS: '3600', ...others });
      expect(read).toThrow(/:\n {2}SHIP_WITHIN_SECONDS: 3600 needs SETTLE_AT=received[^\n]*$/);
      expect(readConfig({ ...others, SHIP_WITHIN_SECONDS: '0' }).shipWithinSeconds).toBe(0);
    },
  );

  test('takes SHIP_WITHIN_SECONDS with SETTLE_AT=received', () => {
    const config = readConfig({ SHIP_WITHIN_SECONDS: '3600', SETTLE_AT: 'received' });
    expect(config).toMatchObject({ settleAt: 'received', shipWithinSeconds: 3_600 });
  });

  test('reports all invalid variables together, without their values', () => {
    const read = () => readConfig({ PORT: '-1', DATABASE_URL: 'mysql:secret' });
    expect(read).toThrow(/PORT[\s\S]*DATABASE_URL/);
    expect(read).not.toThrow(/secret/);
  });
});
