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

/** The first release of each without a hole that is known; what it was is said beside it. */
const floors: [name: string, version: string, hole: string][] = [
  ['socket.io', '4.8.3', 'an error event that ended the process (CVE-2024-38355)'],
  ['socket.io-parser', '4.2.7', 'attachments without an end (CVE-2026-33151)'],
  ['engine.io', '6.6.10', 'requests that ended the process (CVE-2022-41940); asks for a ws without holes'],
  ['ws', '8.21.1', 'memory filled by tiny fragments (CVE-2026-48779)'],
  ['mysql2', '3.23.1', 'SQL injection by objects, decompression without an end'],
  ['typeorm', '1.1.0', 'SQL injection by limit(), conditions that were null'],
  ['@nestjs/common', '12.0.0', 'recursion that ended the process (CVE-2026-40879)'],
  ['@nestjs/core', '12.0.0', 'injection into server-sent events (CVE-2026-35515)'],
  ['@nestjs/platform-express', '12.0.0', 'comes with core'],
  ['@nestjs/platform-socket.io', '12.0.0', 'comes with core'],
  ['@nestjs/websockets', '12.0.0', 'comes with core'],
  ['express', '5.0.0', 'redirects that could be chosen from outside'],
  ['path-to-regexp', '8.0.0', 'patterns that took for ever (CVE-2024-45296)'],
  ['body-parser', '2.2.1', 'bodies that took for ever (CVE-2025-13466)'],
  ['qs', '6.14.1', 'lists without an end (CVE-2025-15284)'],
  ['cookie', '0.7.0', 'names that became other fields (CVE-2024-47764)'],
];

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

/** Every copy of a package, wherever in the tree it stands. */
function copiesOf(name: string): string[] {
  return packages.filter(([path]) => path.endsWith(`node_modules/${name}`)).map(([, { version }]) => version);
}

function isAtLeast(version: string, floor: string): boolean {
  return version.localeCompare(floor, 'en', { numeric: true }) >= 0;
}

describe('the packages that are locked', () => {
  test.each(floors)('%s is %s or later, since before there was: %s', (name, floor) => {
    const copies = copiesOf(name);
    expect(copies.length).toBeGreaterThan(0);
    expect(copies.filter((version) => !isAtLeast(version, floor))).toEqual([]);
  });

  test('are compared by number, not by letter', () => {
    expect(isAtLeast('8.9.0', '8.21.1')).toBe(false);
    expect(isAtLeast('8.21.1', '8.21.1')).toBe(true);
    expect(isAtLeast('10.0.0', '9.9.9')).toBe(true);
  });

  test('there is one Socket.IO, one of what carries it, and one driver: a second would be one that nobody watches', () => {
    for (const name of ['socket.io', 'socket.io-parser', 'engine.io', 'ws', 'mysql2', 'typeorm', 'zod']) {
      expect([name, copiesOf(name)]).toEqual([name, [expect.any(String)]]);
    }
  });

  test('come from the registry of whoever installs them, over https, and are known by their content', () => {
    const strange = packages.filter(
      ([, { resolved = 'https://registry/x.tgz', integrity = '' }]) =>
        !/^https:\/\/[^/]+\/.+\.tgz$/.test(resolved) || !/^sha512-[\w+/]{86}==$/.test(integrity),
    );
    expect(strange.map(([path]) => path)).toEqual([]);
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/git\+|git:|http:|file:/);
  });

  test('run nothing when they are installed: of what the hub needs, one has an install script, and does without', () => {
    const production = packages.filter(([, { dev, devOptional }]) => !dev && !devOptional);
    expect(production.length).toBeGreaterThan(100);
    // It would compile SQLite where no binary fits; those that fit come inside the package.
    const known = ['node_modules/@photostructure/sqlite'];
    expect(production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual(known);
  });

  test('are installed so by whoever starts, tests or ships the hub', () => {
    const installs = ['scripts/prepare.mjs', 'Dockerfile'].map((path) => readFileSync(path, 'utf8'));
    for (const text of installs) {
      expect(text).toMatch(/'?ci'?,? .*--ignore-scripts/);
      expect(text).not.toMatch(/npm install/);
    }
  });

  test('and neither does the hub itself: no script of its own hooks into installing', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'preprepare', 'postprepare'];
    expect(hooks.filter((name) => name in scripts)).toEqual([]);
  });
});
