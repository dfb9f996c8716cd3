import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub } from '../support/hub.js';

/** What a person waits for before the first screen: the page, and the scripts and styles that it names. */
const FIRST_LOAD_BYTES_MAX = 150 * 1_024;
const BUILT = join('dist', 'web');

let hub: TestHub;
beforeAll(async () => {
  hub = await TestHub.start();
});
afterAll(() => hub.stop());

/** The files that the page names. */
async function named(): Promise<string[]> {
  const page = await (await fetch(hub.url)).text();
  return [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
}

describe('the browser pages', () => {
  test('are built before the tests run', () => {
    expect(existsSync(join(BUILT, 'index.html'))).toBe(true);
  });

  test('are served at / under a policy that allows nothing inline and nothing from elsewhere but covers', async () => {
    const { status, headers } = await fetch(`${hub.url}/`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('cache-control')).toBe('no-cache');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')[0]).toBe("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|data:|http:|\*/);
    expect(policy).toContain("connect-src 'self'");
  });

  test('name their files relatively, so that they work behind any prefix', async () => {
    const paths = await named();
    expect(paths.length).toBeGreaterThan(2);
    expect(paths.filter((path) => !path.startsWith('./'))).toEqual([]);
  });

  test('keep scripts and styles for a year, and send them compressed to those who can read it', async () => {
    const [script = ''] = (await named()).filter((path) => path.endsWith('.js'));
    const read = (encoding: string) => fetch(new URL(script, hub.url), { headers: { 'accept-encoding': encoding } });
    const small = await read('br');
    expect(small.headers.get('content-encoding')).toBe('br');
    expect(small.headers.get('content-type')).toContain('javascript');
    expect(small.headers.get('cache-control')).toContain('immutable');
    const plain = await read('identity');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await small.text()).toBe(await plain.text());
  });

  test('come to less than 150 KB for the first load, even for browsers that know gzip only', async () => {
    const bytes = (await named())
      .map((path) => gzipSync(readFileSync(join(BUILT, path))).length)
      .reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(FIRST_LOAD_BYTES_MAX);
  });

  test.each(['/nothing-here', '/assets/nothing.js', '/assets', '/index.php'])(
    'leave the unknown address %s to the contract',
    async (path) => {
      const response = await fetch(hub.url + path, { redirect: 'manual' });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: 'UNKNOWN_MESSAGE' } });
    },
  );

  test('hold nothing of the build that a visitor should not read', () => {
    const files = readdirSync(BUILT, { recursive: true, encoding: 'utf8' });
    expect(
      files.filter((file) => !/^(assets|index\.html|seal\.svg|assets\/[\w-]+\.(js|css)(\.br)?)$/.test(file)),
    ).toEqual([]);
  });
});
