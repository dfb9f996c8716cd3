import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { parseDatabaseUrl } from '../../src/platform/database/database.url.js';
import { parseRedisUrl } from '../../src/platform/redis/redis.url.js';

/** No message may contain this, wherever in a URL it stands. */
const SECRET = 'canary';

const folder = mkdtempSync(join(tmpdir(), 'order-hub-urls-'));
const notPem = join(folder, 'not.pem');
writeFileSync(notPem, 'canary');
afterAll(() => rmSync(folder, { recursive: true }));

describe('DATABASE_URL', () => {
  const server = { kind: 'server', username: 'u', password: 'p', database: 'd' };
  const hosts = (...list: [string, number][]) => ({ hosts: list.map(([host, port]) => ({ host, port })) });

  test.each([
    ['mysql://u:p@db/d', {}],
    ['  mysql://u:p@db/d\n', {}],
    ['MySQL://u:p@db/d', {}],
    ['mariadb://u:p@db:3307/d', hosts(['db', 3307])],
    ['mysql://u:p@[::1]:3306/d', hosts(['::1', 3306])],
    ['mysql://u:p@a,b:3307,[::1]/d?ssl=false', hosts(['a', 3306], ['b', 3307], ['::1', 3306])],
    ['mysql://u@db/d', { password: '' }],
    ['mysql://b%40b:p%23%2F%3f%25@db/a%20b', { username: 'b@b', password: 'p#/?%', database: 'a b' }],
    ['mysql://u:p:q@db/d', { password: 'p:q' }],
    ['mysql://u:p@db/d?socket=/run/mysqld.sock', { socketPath: '/run/mysqld.sock' }],
    ['mysql://u:p@db/d?ssl=false', {}],
    ['mysql://u:p@db/d?ssl-mode=disabled', {}],
    ['mysql://u:p@db/d?ssl=true', { tls: { rejectUnauthorized: false, verifyIdentity: false } }],
    ['mysql://u:p@db/d?ssl-mode=REQUIRED', { tls: { rejectUnauthorized: false, verifyIdentity: false } }],
    ['mysql://u:p@db/d?ssl-mode=VERIFY_IDENTITY', { tls: { rejectUnauthorized: true, verifyIdentity: true } }],
  ])('%j is understood', (url, parts) => {
    expect(parseDatabaseUrl(url)).toEqual({ ...server, ...hosts(['db', 3306]), ...parts });
    expect(readConfig({ DATABASE_URL: url }).databaseUrl).toBe(url);
  });

  test.each([
    ['sqlite:data/hub.sqlite', 'data/hub.sqlite'],
    ['SQLite:/var/lib/hub.sqlite', '/var/lib/hub.sqlite'],
    ['sqlite:///var/lib/hub.sqlite', '/var/lib/hub.sqlite'],
    ['sqlite:a b#1%20.db', 'a b#1%20.db'],
  ])('%j is the file %j', (url, file) => {
    expect(parseDatabaseUrl(url)).toEqual({ kind: 'file', file });
  });

  const parameters = (list: string) => `mysql://u:${SECRET}@db/d?${list}`;
  test.each([
    ...['', 'sqlite', 'postgres://u:canary@db/d', 'mysql2://u:canary@db/d', 'jdbc:mysql://u:canary@db/d'].map(
      (url) => [url, /must be sqlite:<file> or mysql:\/\//] as const,
    ),
    ...['mysql:canary', 'mysql:/u:canary@db/d', 'mysql://u:canary@db:port/d', 'mysql://u:canary@/d'].map(
      (url) => [url, /must be mysql:\/\/user:password@host:port\/database/] as const,
    ),
    // Passwords that are not percent-encoded: p/canary, p?canary, p#canary, 12?canary, p@1/canary?x@.
    ...['u:p/canary@db/d', 'u:p?canary@db/d', 'u:p#canary@db/d', 'u:1 canary@db/d', 'u:p@1/d?canary&x@db/d'].map(
      (rest) => [`mysql://${rest}`, /percent-encoded/] as const,
    ),
    ['mysql://u:1?canary@db/d', /no user/],
    ['mysql://u:p%canary@db/d', /the password is not percent-encoded/],
    ['mysql://db/d', /no user/],
    ['mysql://:canary@db/d', /no user/],
    ['mysql://u:canary@db', /no database/],
    ['mysql://u:canary@db/', /no database/],
    ['mysql://u:canary@db/d/e', /no database/],
    ['mysql://u:canary@db:0/d', /port/],
    ['mysql://u:canary@a,b:0/d', /port/],
    ...['a,', ',a', 'a,,b', 'a, b', 'a,b:port'].map((list) => [`mysql://u:canary@${list}/d`, /must be mysql/] as const),
    ['mysql://u:canary@a,b/d?socket=/run/s', /several hosts/],
    [`mysql://u:${SECRET}@db,10.0.0.1/d?ssl-mode=VERIFY_IDENTITY`, /needs a host name/],
    ['mysql://u:canary@db:65536/d', /must be mysql/],
    ['mysql://u:canary@%2Frun%2Fmysqld.sock/d', /\?socket=\/path/],
    [parameters('socket=run/s'), /socket must be an absolute path/],
    [parameters('ssl={"rejectUnauthorized":false}'), /ssl must be true or false/],
    [parameters('ssl=Amazon+RDS'), /ssl must be true or false/],
    [parameters('ssl='), /ssl is empty/],
    [parameters('ssl=true&ssl=false'), /ssl is given twice/],
    [parameters('ssl=false&ssl-mode=REQUIRED'), /contradict/],
    [parameters('ssl=true&ssl-mode=DISABLED'), /contradict/],
    [parameters('ssl-mode=PREFERRED'), /ssl-mode must be one of/],
    [parameters('ssl-mode=VERIFY_CA'), /needs ssl-ca/],
    [`mysql://u:${SECRET}@10.0.0.1/d?ssl-mode=VERIFY_IDENTITY`, /needs a host name/],
    [parameters('ssl-ca=/no/such/file.pem'), /ssl-ca=\/no\/such\/file\.pem cannot be used/],
    [parameters(`ssl-ca=${notPem}`), /ssl-ca=.* cannot be used/],
    [parameters(`ssl=false&ssl-ca=${notPem}`), /ssl-ca/],
    ...['sslmode', 'sslMode', 'ssl_ca', 'useSSL', 'tls', 'charset', 'connectionLimit', 'timezone', 'SSL'].map(
      (name) => [parameters(`${name}=x`), new RegExp(`the parameter ${name} is not supported`)] as const,
    ),
    [parameters('%20canary=x'), /a parameter is not supported/],
    ['sqlite:', /no file/],
    ['sqlite: ', /no file/],
    ['sqlite::memory:', /not supported/],
    ['sqlite:file:hub?mode=memory', /not supported/],
    ['sqlite:hub.sqlite?mode=ro', /not supported/],
    ['sqlite://hub.sqlite', /without the two slashes/],
    ['sqlite:data/', /is a folder/],
    [`sqlite:${folder}`, /is a folder/],
    ['sqlite:.', /is a folder/],
    ['sqlite:a\u0000b', /control character/],
  ] as [string, RegExp][])('%j is refused in one line', (url, problem) => {
    let message = '';
    try {
      parseDatabaseUrl(url);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(problem);
    expect(message).not.toMatch(/canary|\n/);
    // An empty variable counts as unset.
    if (url !== '') expect(() => readConfig({ DATABASE_URL: url })).toThrow(`DATABASE_URL: ${message}`);
  });
});

describe('REDIS_URL', () => {
  test.each([
    ['redis://db', { socket: { host: 'db', port: 6379 } }],
    ['REDIS://db:6380', { socket: { host: 'db', port: 6380 } }],
    ['rediss://db', { socket: { host: 'db', port: 6379, tls: true } }],
    ['redis://[::1]:6379/0', { socket: { host: '::1', port: 6379 } }],
    ['redis://u:p%40@db/3', { username: 'u', password: 'p@', database: 3, socket: { host: 'db', port: 6379 } }],
    ['redis://:p@db', { password: 'p', socket: { host: 'db', port: 6379 } }],
  ])('%j is understood', (url, parts) => {
    expect(parseRedisUrl(url)).toEqual(parts);
    expect(readConfig({ REDIS_URL: url }).redisUrl).toBe(url);
  });

  test.each([
    'localhost:6379',
    'redis:canary',
    'http://db',
    'redis://:canary@',
    'redis://:canary@db:port',
    'redis://:canary@db:0',
    'redis://:can#canary@db',
    'redis://:can/canary@db',
    'redis://:%canary@db',
    'redis://:canary@db/orders',
    'redis://:canary@db/-1',
    'redis://:canary@db?tls=true',
    'unix:///run/redis.sock',
  ])('%j is refused in one line', (url) => {
    expect(() => readConfig({ REDIS_URL: url })).toThrow(/^The configuration is invalid:\n {2}REDIS_URL: [^\n]+$/);
    expect(() => readConfig({ REDIS_URL: url })).not.toThrow(/canary/);
  });
});
