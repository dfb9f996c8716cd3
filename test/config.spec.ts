import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../src/config.js';

describe('the configuration', () => {
  test('needs no variable at all', () => {
    expect(readConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      databaseUrl: 'sqlite:data/order-hub.sqlite',
      redisUrl: undefined,
      unpaidTtlSeconds: 900,
      autoReceiveSeconds: 864_000,
      sessionTtlSeconds: 604_800,
      allowedOrigins: [],
      trustProxy: false,
      rateLimits: true,
      logLevel: 'info',
    });
  });

  test('takes an empty variable for one that is not set', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '' })).toEqual(readConfig({}));
  });

  test('reads origins from a list with commas', () => {
    const { allowedOrigins } = readConfig({ ALLOWED_ORIGINS: 'https://shop.example, http://localhost:5173/' });
    expect(allowedOrigins).toEqual(['https://shop.example', 'http://localhost:5173']);
  });

  test('a shipped order may be never received by itself', () => {
    expect(readConfig({ AUTO_RECEIVE_SECONDS: '0' }).autoReceiveSeconds).toBe(0);
  });

  const bad: [string, string][] = [
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['DATABASE_URL', 'postgres://localhost/orders'],
    ['DATABASE_URL', 'mysql://localhost'],
    ['DATABASE_URL', 'sqlite:'],
    ['REDIS_URL', 'localhost:6379'],
    ['UNPAID_TTL_SECONDS', '0'],
    ['UNPAID_TTL_SECONDS', '1.5'],
    ['AUTO_RECEIVE_SECONDS', '-1'],
    ['SESSION_TTL_SECONDS', 'a week'],
    ['ALLOWED_ORIGINS', 'shop.example'],
    ['TRUST_PROXY', 'perhaps'],
    ['RATE_LIMITS', 'some'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
    ['ADMIN_PASSWORD', 'too short'],
    ['LOG_LEVEL', 'loud'],
  ];
  test.each(bad)('names %s when it is %j', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(`\n  ${name}: `);
  });

  test('names every bad variable at once, and never repeats what they hold', () => {
    const read = () => readConfig({ PORT: '-1', DATABASE_URL: 'mysql:secret' });
    expect(read).toThrow(/PORT[\s\S]*DATABASE_URL/);
    expect(read).not.toThrow(/secret/);
  });
});
