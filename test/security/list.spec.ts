import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const ITEMS = 60;

const document = readFileSync('SECURITY.md', 'utf8');
const rows = [...document.matchAll(/^\| S(\d+) \| (.+) \| (.+) \|$/gm)].map(([, number, item = '', heldBy = '']) => ({
  number: Number(number),
  item,
  heldBy,
}));

describe('the security list', () => {
  test('has every item, once and in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: ITEMS }, (_, index) => index + 1));
  });

  test('names a test for each, or says why there is nothing to hold', () => {
    const bare = rows.filter(
      ({ heldBy }) => !/`test\/[\w./]+`/.test(heldBy) && !/^(does not apply|not here): .{20}/.test(heldBy),
    );
    expect(bare.map(({ number }) => `S${number}`)).toEqual([]);
  });

  test('names nothing that is not there', () => {
    const named = [...document.matchAll(/[`(]((?:test|src|ops)\/[\w./-]+)[`)]/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(ITEMS);
    expect([...new Set(named)].filter((path) => !existsSync(path))).toEqual([]);
  });

  test('leaves out no test of its own', () => {
    const own = readdirSync('test/security').map((name) => `test/security/${name}`);
    expect(own.length).toBeGreaterThan(8);
    expect(own.filter((path) => !document.includes(`\`${path}\``))).toEqual([]);
  });
});
