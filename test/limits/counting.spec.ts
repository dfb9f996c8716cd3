import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { addressOf } from '../../src/platform/client.address.js';
import {
  EXTRA_CONNECTIONS_PER_ADDRESS_MAX,
  RateLimiter,
  REQUESTS_PER_ADDRESS,
  SOCKETS_PER_ADDRESS_MAX,
  SOCKETS_PER_USER_MAX,
} from '../../src/platform/limits/rate.limiter.js';
import { TokenBucket, TokenBuckets } from '../../src/platform/limits/token.bucket.js';
import { knock } from '../support/handshake.js';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import { rawHttp } from '../support/raw.http.js';

describe('a token bucket', () => {
  test('allows its burst at once, then its refill rate', () => {
    const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, 0);
    for (let count = 0; count < 3; count++) {
      expect(bucket.waitMs(0)).toBe(0);
      bucket.take();
    }
    expect(bucket.waitMs(0)).toBe(500);
    expect(bucket.waitMs(400)).toBe(100);
    expect(bucket.waitMs(500)).toBe(0);
    bucket.take();
    expect(bucket.waitMs(500)).toBe(500);
    bucket.refund();
    expect(bucket.waitMs(500)).toBe(0);
  });

  test('never holds more than its burst', () => {
    const bucket = new TokenBucket({ burst: 1, perSecond: 10 }, 0);
    bucket.refund();
    expect(bucket.waitMs(60_000)).toBe(0);
    bucket.take();
    expect(bucket.waitMs(60_000)).toBe(100);
  });

  test('counts per key and drops full buckets', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 1 });
    buckets.take('ann', 0);
    buckets.take('bob', 500);
    expect([buckets.waitMs('ann', 500), buckets.waitMs('bob', 500), buckets.waitMs('cid', 500)]).toEqual([
      500, 1_000, 0,
    ]);
    buckets.take('cid', 1_250);
    expect(buckets.size).toBe(2);
    expect(buckets.waitMs('bob', 1_250)).toBe(250);
  });

  test('bounds the number of keys', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0.001 });
    for (let count = 0; count < 150_000; count++) buckets.take(`address ${count}`, 0);
    expect(buckets.size).toBe(100_000);
    expect(buckets.waitMs('address 149999', 0)).toBeGreaterThan(0);
  });
});

describe('the client address', () => {
  const requestFrom = (remoteAddress: string, forwarded?: string | string[]) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

  test.each([
    ['IPv4', '192.0.2.1', '192.0.2.1'],
    ['IPv4-mapped IPv6', '::ffff:192.0.2.1', '192.0.2.1'],
    ['IPv6, reduced to its network', '2001:db8:1:2:aaaa::1', '2001:db8:1:2::/64'],
    ['another address in the same network', '2001:db8:1:2:bbbb::2', '2001:db8:1:2::/64'],
  ])('is that of the connection: %s', (_, remote, address) => {
    expect(addressOf(requestFrom(remote), false)).toBe(address);
  });

  test('ignores forged headers', () => {
    expect(addressOf(requestFrom('192.0.2.1', '127.0.0.1'), false)).toBe('192.0.2.1');
    expect(addressOf(requestFrom('10.0.0.1', '127.0.0.1, 198.51.100.7'), true)).toBe('198.51.100.7');
  });

  test('is the one reported by the proxy, if valid', () => {
    expect(addressOf(requestFrom('10.0.0.1', '2001:db8::1'), true)).toBe('2001:db8:0:0::/64');
    for (const invalid of [undefined, '', 'unknown', '198.51.100.7, x']) {
      expect(addressOf(requestFrom('10.0.0.1', invalid), true)).toBe('10.0.0.1');
    }
  });
});

/** Documented forms of the nearest proxy's entry. */
const forwardedForms: [form: string, headers: Record<string, string>, address: string][] = [
  ['IPv4 with a port', { 'x-forwarded-for': '198.51.100.66:30000' }, '198.51.100.66'],
  ['IPv4 with a port, after claims', { 'x-forwarded-for': '1.1.1.1, x, 198.51.100.66:30000' }, '198.51.100.66'],
  ['IPv6', { 'x-forwarded-for': '2001:DB8::1' }, '2001:db8:0:0::/64'],
  ['IPv6 in brackets', { 'x-forwarded-for': '[2001:db8::1]' }, '2001:db8:0:0::/64'],
  ['IPv6 with a port', { 'x-forwarded-for': '[2001:db8::1]:4711' }, '2001:db8:0:0::/64'],
  ['IPv6 in quotes, with a port', { 'x-forwarded-for': '"[2001:db8::1]:4711"' }, '2001:db8:0:0::/64'],
  ['IPv4-mapped IPv6', { 'x-forwarded-for': '::ffff:198.51.100.66' }, '198.51.100.66'],
  ['IPv4-mapped IPv6 with a port', { 'x-forwarded-for': '[::ffff:198.51.100.66]:30000' }, '198.51.100.66'],
  ['Forwarded with IPv4', { forwarded: 'for=198.51.100.66;proto=https;by=203.0.113.43' }, '198.51.100.66'],
  ['Forwarded with a port', { forwarded: 'For="198.51.100.66:30000"' }, '198.51.100.66'],
  ['Forwarded with IPv6', { forwarded: 'for=1.1.1.1, proto=https; FOR="[2001:db8::1]:4711"' }, '2001:db8:0:0::/64'],
  ['Forwarded after an unclosed quote', { forwarded: 'for="1.1.1.1, for=198.51.100.66' }, '198.51.100.66'],
  [
    'X-Forwarded-For before Forwarded',
    { 'x-forwarded-for': '198.51.100.66', forwarded: 'for=1.1.1.1' },
    '198.51.100.66',
  ],
];
const unreadableForms: Record<string, string>[] = [
  { 'x-forwarded-for': 'unknown' },
  { 'x-forwarded-for': '198.51.100.66, ' },
  { 'x-forwarded-for': '198.51.100.66:30000:1' },
  { 'x-forwarded-for': '1234' },
  { 'x-forwarded-for': 'magpie\u009b2J' },
  { 'x-forwarded-for': 'unknown', forwarded: 'for=198.51.100.66' },
  { forwarded: 'for=_hidden' },
  { forwarded: 'for="[198.51.100.66"' },
];

describe('behind a trusted proxy, over HTTP and sockets', () => {
  const WARNING = "a forwarded address is not understood: limits count the proxy's own";
  const log = new LogBook();
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start({ trustProxy: true, logLevel: 'warn' }, undefined, log);
  });
  afterAll(() => hub.stop());
  /** The addresses by which a request and a handshake are counted and logged. */
  const addressesOf = async (headers: Record<string, string>) => {
    const before = log.lines('security').length;
    await rawHttp(hub, 'GET', '/wallet', { headers });
    await knock(hub, { token: 'nobody' }, { headers });
    await until('both are logged', () => log.lines('security').length === before + 2);
    return log
      .lines('security')
      .slice(before)
      .map(({ address }) => address);
  };

  test.each(forwardedForms)('the address is that of %s', async (_, headers, address) => {
    expect(await addressesOf(headers)).toEqual([address, address]);
    expect(log.lines(WARNING)).toEqual([]);
  });

  test("what is not understood counts by the proxy's address, and is logged once, masked", async () => {
    const other = new LogBook();
    const proxied = await TestHub.start({ trustProxy: true, rateLimits: true, logLevel: 'warn' }, undefined, other);
    const limits = proxied.hub.app.get(RateLimiter);
    const counted = jest.spyOn(limits, 'unauthenticatedRequest');
    for (const headers of unreadableForms) await rawHttp(proxied, 'GET', '/wallet', { headers });
    expect(counted.mock.calls).toEqual(unreadableForms.map(() => ['127.0.0.1']));
    expect(other.lines(WARNING)).toMatchObject([{ level: 40, form: 'aaaaaaa' }]);
    await proxied.stop();
  });

  test("a port neither evades a client's limit nor makes others share it", async () => {
    const proxied = await TestHub.start({ trustProxy: true, rateLimits: true });
    const limits = proxied.hub.app.get(RateLimiter);
    for (let count = 0; count < SOCKETS_PER_ADDRESS_MAX + EXTRA_CONNECTIONS_PER_ADDRESS_MAX; count++)
      limits.connected('198.51.100.66', () => {});
    const statusOf = async (address: string) => {
      const headers = { 'x-forwarded-for': address };
      return (await rawHttp(proxied, 'GET', '/socket.io/?EIO=4&transport=polling', { headers })).status;
    };
    expect(await statusOf('198.51.100.66:30000')).toBe(403);
    expect(await statusOf('198.51.100.67:30000')).toBe(200);
    await proxied.stop();
  });
});

describe('limits by address and user', () => {
  const rateLimited = { code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } };
  const connections = (limits: RateLimiter, count: number) => {
    const closers: (() => void)[] = [];
    for (let index = 0; index < count; index++) limits.connected('here', (closed) => void closers.push(closed));
    return closers;
  };

  test('bound the connections of an address: a few more are refused with an error, the rest are dropped', () => {
    const limits = new RateLimiter({ rateLimits: true });
    const [close] = connections(limits, SOCKETS_PER_ADDRESS_MAX);
    limits.handshake('here');
    const [extra] = connections(limits, 1);
    expect(() => limits.handshake('here')).toThrow(expect.objectContaining(rateLimited));
    limits.handshake('there');
    connections(limits, EXTRA_CONNECTIONS_PER_ADDRESS_MAX - 2);
    expect(limits.isCrowded('here')).toBe(false);
    connections(limits, 1);
    expect([limits.isCrowded('here'), limits.isCrowded('there')]).toEqual([true, false]);
    close?.();
    extra?.();
    expect(limits.isCrowded('here')).toBe(false);
  });

  test('bound unauthenticated requests of an address; authenticated ones do not count', () => {
    const limits = new RateLimiter({ rateLimits: true });
    for (let count = 0; count < 2 * REQUESTS_PER_ADDRESS.burst; count++) {
      limits.unauthenticatedRequest('here');
      limits.refundUnauthenticated('here');
    }
    const exceed = () => {
      for (let count = 0; count < 2 * REQUESTS_PER_ADDRESS.burst; count++) limits.unauthenticatedRequest('here');
    };
    expect(exceed).toThrow(expect.objectContaining(rateLimited));
    limits.handshake('there');
  });

  test('bound the sockets of a user, and free one on close', () => {
    const limits = new RateLimiter({ rateLimits: true });
    const closers: (() => void)[] = [];
    const open = () => limits.admitted('ann', (closed) => void closers.push(closed));
    for (let count = 0; count < SOCKETS_PER_USER_MAX; count++) open();
    expect(open).toThrow(expect.objectContaining(rateLimited));
    limits.admitted('bob', () => {});
    closers[0]?.();
    expect(open).not.toThrow();
  });

  test('do not apply when they are turned off', () => {
    const limits = new RateLimiter({ rateLimits: false });
    connections(limits, SOCKETS_PER_ADDRESS_MAX + EXTRA_CONNECTIONS_PER_ADDRESS_MAX);
    expect(() => limits.handshake('here')).not.toThrow();
    expect(limits.isCrowded('here')).toBe(false);
    for (let count = 0; count <= SOCKETS_PER_USER_MAX; count++) limits.admitted('ann', () => {});
    for (let count = 0; count < 20_000; count++) limits.request('ann');
  });
});
