import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

interface LockedPackage {
  version: string;
  resolved?: string;
  integrity?: string;
  link?: true;
  dev?: true;
  optional?: true;
  devOptional?: true;
  hasInstallScript?: true;
}

/** The first release of each package without known vulnerabilities, with the vulnerability that it fixed. */
const minimumVersions: [name: string, version: string, vulnerability: string][] = [
  ['socket.io', '4.8.3', 'a crash by an error event (CVE-2024-38355)'],
  ['socket.io-parser', '4.2.7', 'unbounded attachments (CVE-2026-33151)'],
  ['engine.io', '6.6.10', 'a crash by requests (CVE-2022-41940), and a vulnerable ws'],
  ['ws', '8.21.1', 'memory exhaustion by tiny fragments (CVE-2026-48779)'],
  ['mysql2', '3.23.1', 'SQL injection by objects, unbounded decompression'],
  ['typeorm', '1.1.0', 'SQL injection by limit(), ignored null conditions'],
  ['@nestjs/common', '12.0.0', 'a crash by recursion (CVE-2026-40879)'],
  ['@nestjs/core', '12.0.0', 'injection into server-sent events (CVE-2026-35515)'],
  ['@nestjs/platform-express', '12.0.0', 'released with core'],
  ['@nestjs/platform-socket.io', '12.0.0', 'released with core'],
  ['@nestjs/websockets', '12.0.0', 'released with core'],
  ['express', '5.0.0', 'open redirects'],
  ['path-to-regexp', '8.0.0', 'slow patterns (CVE-2024-45296)'],
  ['body-parser', '2.2.1', 'slow bodies (CVE-2025-13466)'],
  ['qs', '6.14.1', 'unbounded lists (CVE-2025-15284)'],
  ['cookie', '0.7.0', 'injection by cookie names (CVE-2024-47764)'],
];

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

/** The versions of every copy of a package in the tree. */
function copiesOf(name: string): string[] {
  return packages.filter(([path]) => path.endsWith(`node_modules/${name}`)).map(([, { version }]) => version);
}

function isAtLeast(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, 'en', { numeric: true }) >= 0;
}

describe('the locked packages', () => {
  test.each(minimumVersions)('include %s %s or later, which fixes: %s', (name, minimum) => {
    const copies = copiesOf(name);
    expect(copies.length).toBeGreaterThan(0);
    expect(copies.filter((version) => !isAtLeast(version, minimum))).toEqual([]);
  });

  test('are compared numerically', () => {
    expect(isAtLeast('8.9.0', '8.21.1')).toBe(false);
    expect(isAtLeast('8.21.1', '8.21.1')).toBe(true);
    expect(isAtLeast('10.0.0', '9.9.9')).toBe(true);
  });

  test('contain a single copy of each security-relevant package', () => {
    for (const name of ['socket.io', 'socket.io-parser', 'engine.io', 'ws', 'mysql2', 'typeorm', 'zod']) {
      expect([name, copiesOf(name)]).toEqual([name, [expect.any(String)]]);
    }
  });

  test('come from a registry over https, with an integrity hash', () => {
    const unverified = packages.filter(
      ([, { resolved = 'https://registry/x.tgz', integrity = '' }]) =>
        !/^https:\/\/[^/]+\/.+\.tgz$/.test(resolved) || !/^sha512-[\w+/]{86}==$/.test(integrity),
    );
    expect(unverified.map(([path]) => path)).toEqual([]);
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/git\+|git:|http:|file:/);
  });

  test('have no install scripts in production, except one that is not needed', () => {
    const production = packages.filter(([, { dev, devOptional }]) => !dev && !devOptional);
    expect(production.length).toBeGreaterThan(100);
    // It compiles SQLite where no prebuilt binary fits; the package includes those for common platforms.
    const known = ['node_modules/@photostructure/sqlite'];
    expect(production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual(known);
  });

  test('are always installed without scripts', () => {
    const installs = ['scripts/prepare.mjs', 'Dockerfile'].map((path) => readFileSync(path, 'utf8'));
    for (const text of installs) {
      expect(text).toMatch(/'?ci'?,? .*--ignore-scripts/);
      expect(text).not.toMatch(/npm install/);
    }
  });

  test('are installed without lifecycle scripts of the hub', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'preprepare', 'postprepare'];
    expect(hooks.filter((name) => name in scripts)).toEqual([]);
  });
});
