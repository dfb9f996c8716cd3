import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub } from '../support/hub.js';

/** The first load: the page with its scripts and styles. */
const FIRST_LOAD_BYTES_MAX = 150 * 1_024;
const BUILT = join('dist', 'web');

let hub: TestHub;
beforeAll(async () => {
  hub = await TestHub.start();
});
afterAll(() => hub.stop());

/** Paths of the scripts and styles the page references. */
async function assets(): Promise<string[]> {
  const page = await (await fetch(hub.url)).text();
  return [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
}

/** What the hub has written into its page. */
async function settingsOf({ url }: TestHub): Promise<unknown> {
  const page = await (await fetch(url)).text();
  const [, content = ''] = /<meta name="hub-settings" content="([^"]+)"/.exec(page) ?? [];
  return JSON.parse(content.replaceAll('&quot;', '"').replaceAll('&amp;', '&'));
}

describe('the browser pages', () => {
  test('are built before the tests run', () => {
    expect(existsSync(join(BUILT, 'index.html'))).toBe(true);
  });

  test('are served at / with a CSP that forbids inline code and foreign sources, except covers', async () => {
    const { status, headers } = await fetch(`${hub.url}/`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('cache-control')).toBe('no-cache');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')[0]).toBe("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|data:|http:|\*/);
    expect(policy).toContain("connect-src 'self'");
  });

  test('reference their assets relatively, so that they work behind any prefix', async () => {
    const paths = await assets();
    expect(paths.length).toBeGreaterThan(2);
    expect(paths.filter((path) => !path.startsWith('./'))).toEqual([]);
  });

  test('know the currency, whether anyone may register and how users pay in before their first request', async () => {
    expect(await settingsOf(hub)).toEqual({ currency: 'CNY', registration: 'open', topUps: 'open' });
    const other = await TestHub.start({ currency: 'JPY', registration: 'closed', funds: 'provider' });
    try {
      expect(await settingsOf(other)).toEqual({ currency: 'JPY', registration: 'closed', topUps: 'none' });
    } finally {
      await other.stop();
    }
  });

  test('serve assets as immutable, and compressed where the client accepts it', async () => {
    const [script = ''] = (await assets()).filter((path) => path.endsWith('.js'));
    const read = (encoding: string) => fetch(new URL(script, hub.url), { headers: { 'accept-encoding': encoding } });
    const compressed = await read('br');
    expect(compressed.headers.get('content-encoding')).toBe('br');
    expect(compressed.headers.get('content-type')).toContain('javascript');
    expect(compressed.headers.get('cache-control')).toContain('immutable');
    const plain = await read('identity');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await compressed.text()).toBe(await plain.text());
  });

  test('take less than 150 KB for the first load with gzip', async () => {
    const bytes = (await assets())
      .map((path) => gzipSync(readFileSync(join(BUILT, path))).length)
      .reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(FIRST_LOAD_BYTES_MAX);
  });

  test.each(['/unknown', '/assets/unknown.js', '/assets', '/index.php'])(
    'answer the unknown path %s with UNKNOWN_MESSAGE',
    async (path) => {
      const response = await fetch(hub.url + path, { redirect: 'manual' });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: 'UNKNOWN_MESSAGE' } });
    },
  );

  test('contain only the public files of the build', () => {
    const files = readdirSync(BUILT, { recursive: true, encoding: 'utf8' });
    expect(
      files.filter(
        (file) =>
          !/^(assets|index\.html|seal\.svg|sw\.js|manifest\.webmanifest|icon-(192|512|maskable)\.png|assets\/[\w.-]+\.(js|css)(\.br)?)$/.test(
            file,
          ),
      ),
    ).toEqual([]);
  });
});
