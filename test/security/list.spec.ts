import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const ITEMS = 60;

const document = readFileSync('docs/security-checklist.md', 'utf8');
const rows = [...document.matchAll(/^\| S(\d+) \| (.+) \| (.+) \|$/gm)].map(([, number, item = '', evidence = '']) => ({
  number: Number(number),
  item,
  evidence,
}));

describe('the security checklist', () => {
  test('has every item, once and in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: ITEMS }, (_, index) => index + 1));
  });

  test('names a test for each item, or the reason why none applies', () => {
    const unsupported = rows.filter(
      ({ evidence }) => !/`test\/[\w./]+`/.test(evidence) && !/^(does not apply|not here): .{20}/.test(evidence),
    );
    expect(unsupported.map(({ number }) => `S${number}`)).toEqual([]);
  });

  test('names only existing files', () => {
    const named = [
      ...`${readFileSync('SECURITY.md', 'utf8')}${document}`.matchAll(/[`(]((?:test|src|ops)\/[\w./-]+)[`)]/g),
    ].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(ITEMS);
    expect([...new Set(named)].filter((path) => !existsSync(path))).toEqual([]);
  });

  test('names every security test', () => {
    const specs = readdirSync('test/security').map((name) => `test/security/${name}`);
    expect(specs.length).toBeGreaterThan(8);
    expect(specs.filter((path) => !document.includes(`\`${path}\``))).toEqual([]);
  });
});
