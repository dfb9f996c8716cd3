import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { addressOf } from '../../src/platform/address.js';
import {
  KNOCKING_PER_ADDRESS_MAX,
  Limits,
  REQUESTS_PER_ADDRESS,
  SOCKETS_PER_ADDRESS_MAX,
  SOCKETS_PER_USER_MAX,
} from '../../src/platform/limits.js';
import { TokenBucket, TokenBuckets } from '../../src/platform/token.bucket.js';

describe('a bucket of tokens', () => {
  test('allows its burst at once, and then as much as comes back', () => {
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
    bucket.giveBack();
    expect(bucket.waitMs(500)).toBe(0);
  });

  test('never holds more than its burst', () => {
    const bucket = new TokenBucket({ burst: 1, perSecond: 10 }, 0);
    bucket.giveBack();
    expect(bucket.waitMs(60_000)).toBe(0);
    bucket.take();
    expect(bucket.waitMs(60_000)).toBe(100);
  });

  test('each of many counts alone, and is forgotten when it is full again', () => {
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

  test('no number of strangers fills the memory', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0.001 });
    for (let count = 0; count < 150_000; count++) buckets.take(`address ${count}`, 0);
    expect(buckets.size).toBe(100_000);
    expect(buckets.waitMs('address 149999', 0)).toBeGreaterThan(0);
  });
});

describe('the address that limits are counted by', () => {
  const from = (remoteAddress: string, forwarded?: string | string[]) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

  test.each([
    ['IPv4', '192.0.2.1', '192.0.2.1'],
    ['IPv4 within IPv6', '::ffff:192.0.2.1', '192.0.2.1'],
    ['IPv6, by its network', '2001:db8:1:2:aaaa::1', '2001:db8:1:2::/64'],
    ['another of the same network', '2001:db8:1:2:bbbb::2', '2001:db8:1:2::/64'],
  ])('is that of the line: %s', (_, remote, address) => {
    expect(addressOf(from(remote), false)).toBe(address);
  });

  test('is not what a client claims', () => {
    expect(addressOf(from('192.0.2.1', '127.0.0.1'), false)).toBe('192.0.2.1');
    expect(addressOf(from('10.0.0.1', '127.0.0.1, 198.51.100.7'), true)).toBe('198.51.100.7');
  });

  test('is what the proxy saw, if that is an address', () => {
    expect(addressOf(from('10.0.0.1', '2001:db8::1'), true)).toBe('2001:db8:0:0::/64');
    for (const nothing of [undefined, '', 'unknown', '198.51.100.7, x']) {
      expect(addressOf(from('10.0.0.1', nothing), true)).toBe('10.0.0.1');
    }
  });
});

describe('the sockets of an address and of a user', () => {
  const waits = { code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } };
  const connections = (limits: Limits, count: number) => {
    const closers: (() => void)[] = [];
    for (let index = 0; index < count; index++) limits.connected('here', (closed) => void closers.push(closed));
    return closers;
  };

  test('an address has so many; a few more are told so; the rest are not heard', () => {
    const limits = new Limits({ rateLimits: true });
    const [close] = connections(limits, SOCKETS_PER_ADDRESS_MAX);
    limits.handshake('here');
    const [knocking] = connections(limits, 1);
    expect(() => limits.handshake('here')).toThrow(expect.objectContaining(waits));
    limits.handshake('there');
    connections(limits, KNOCKING_PER_ADDRESS_MAX - 2);
    expect(limits.isCrowded('here')).toBe(false);
    connections(limits, 1);
    expect([limits.isCrowded('here'), limits.isCrowded('there')]).toEqual([true, false]);
    close?.();
    knocking?.();
    expect(limits.isCrowded('here')).toBe(false);
  });

  test('strangers of an address may ask so often; those who turn out to be somebody do not count', () => {
    const limits = new Limits({ rateLimits: true });
    for (let count = 0; count < 2 * REQUESTS_PER_ADDRESS.burst; count++) {
      limits.stranger('here');
      limits.known('here');
    }
    const ask = () => {
      for (let count = 0; count < 2 * REQUESTS_PER_ADDRESS.burst; count++) limits.stranger('here');
    };
    expect(ask).toThrow(expect.objectContaining(waits));
    limits.handshake('there');
  });

  test('a user has so many, and another when one is closed', () => {
    const limits = new Limits({ rateLimits: true });
    const closers: (() => void)[] = [];
    const open = () => limits.admitted('ann', (closed) => void closers.push(closed));
    for (let count = 0; count < SOCKETS_PER_USER_MAX; count++) open();
    expect(open).toThrow(expect.objectContaining(waits));
    limits.admitted('bob', () => {});
    closers[0]?.();
    expect(open).not.toThrow();
  });

  test('are not counted where limits are off', () => {
    const limits = new Limits({ rateLimits: false });
    connections(limits, SOCKETS_PER_ADDRESS_MAX + KNOCKING_PER_ADDRESS_MAX);
    expect(() => limits.handshake('here')).not.toThrow();
    expect(limits.isCrowded('here')).toBe(false);
    for (let count = 0; count <= SOCKETS_PER_USER_MAX; count++) limits.admitted('ann', () => {});
    for (let count = 0; count < 20_000; count++) limits.request('ann');
  });
});
