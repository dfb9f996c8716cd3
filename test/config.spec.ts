import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
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
      sandbox: false,
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

  describe('of a secret in a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'order-hub-secrets-'));
    const secret = 'a-secret-of-the-operator-of-32-letters';
    const fileOf = (content: string) => {
      const path = join(folder, String(content.length));
      writeFileSync(path, content);
      return path;
    };
    afterAll(() => rmSync(folder, { recursive: true }));

    test.each(['', '\n', '\r\n'])('is its content, without %j at its end', (end) => {
      expect(readConfig({ OPERATOR_KEY_FILE: fileOf(secret + end) }).operatorKey).toBe(secret);
    });

    test.each([
      'DATABASE_URL',
      'REDIS_URL',
      'OPERATOR_KEY',
      'STRIPE_SECRET_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'ADMIN_PASSWORD',
      'VAPID_PRIVATE_KEY',
    ])('is taken for %s, and refused beside it', (name) => {
      const variable = `${name}_FILE`;
      expect(() => readConfig({ [variable]: join(folder, 'none') })).toThrow(
        `${variable}: ${join(folder, 'none')} cannot`,
      );
      expect(() => readConfig({ [variable]: fileOf('') })).toThrow('it is empty');
      const both = { [variable]: fileOf(secret), [name]: 'canary' };
      expect(() => readConfig(both)).toThrow(`${variable}: ${name} is set too`);
      expect(() => readConfig(both)).toThrow(
        expect.not.objectContaining({ message: expect.stringMatching(/canary|letters/) }),
      );
    });

    test('stops the start like any other, without its value', () => {
      const read = () => readConfig({ ADMIN_PASSWORD_FILE: fileOf('canary'), PORT: 'x' });
      expect(read).toThrow(/ADMIN_PASSWORD: /);
      expect(read).toThrow(/PORT: /);
      expect(read).toThrow(expect.not.objectContaining({ message: expect.stringContaining('canary') }));
    });
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
    ['VAPID_PUBLIC_KEY', 'BCVxsr7N'],
    ['VAPID_PRIVATE_KEY', 'none'],
    ['RATE_LIMITS', 'some'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
    ['ADMIN_PASSWORD', 'too short'],
    ['LOG_LEVEL', 'loud'],
  ];
  test.each([
    ['PAYMENT_PROVIDER', { PAYMENT_PROVIDER: 'test', HOST: '0.0.0.0' }],
    ['PAYMENT_PROVIDER', { PAYMENT_PROVIDER: 'test', HOST: '::' }],
    ['PAYMENT_PROVIDER', { PAYMENT_PROVIDER: 'test', HOST: 'shop.example', FUNDS: 'provider' }],
    ['SANDBOX', { SANDBOX: 'on', HOST: '0.0.0.0' }],
    ['SANDBOX', { SANDBOX: 'on', HOST: 'shop.example' }],
    ['SANDBOX', { SANDBOX: 'on', TRUST_PROXY: 'true' }],
    ['SANDBOX', { SANDBOX: 'yes' }],
    ['STRIPE_WEBHOOK_SECRET', { FUNDS: 'provider', PAYMENT_PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk' }],
    ['STRIPE_SECRET_KEY', { FUNDS: 'provider', PAYMENT_PROVIDER: 'stripe', STRIPE_WEBHOOK_SECRET: 'whsec_1' }],
  ])('names %s where other settings need it otherwise: %j', (name, variables) => {
    expect(() => readConfig(variables)).toThrow(`\n  ${name}: `);
  });

  const vapid = {
    VAPID_PUBLIC_KEY: 'BKDY5-bIM73WELI8D3GJAV31jynhXLLV_yT8wRH_iJ7DmoXRUUM8EHGj4YfH68hOI80kM_bOjxsGbNp_IiBv4rg',
    VAPID_PRIVATE_KEY: '8_KUyJZaaMu5M4okLZ2yUgeaO-RKdd35BN82zr6lfzQ',
  };
  const { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY } = vapid;

  test('takes a pair of VAPID keys', () => {
    expect(readConfig(vapid).vapidKeys).toEqual({ publicKey: VAPID_PUBLIC_KEY, privateKey: VAPID_PRIVATE_KEY });
    expect(readConfig({}).vapidKeys).toBeUndefined();
  });

  test.each([
    ['VAPID_PRIVATE_KEY', { VAPID_PUBLIC_KEY }],
    ['VAPID_PUBLIC_KEY', { VAPID_PRIVATE_KEY }],
    ['VAPID_PUBLIC_KEY', { ...vapid, VAPID_PRIVATE_KEY: Buffer.alloc(32, 1).toString('base64url') }],
  ])('names %s where the VAPID keys are no pair', (name, variables) => {
    const read = () => readConfig(variables);
    expect(read).toThrow(new RegExp(`:\\n {2}${name}: [^\\n]*$`));
    expect(read).not.toThrow(VAPID_PRIVATE_KEY);
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
