import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

/** Long enough that quadratic backtracking exceeds the limit a hundredfold. */
const CHARACTERS = 8_000;
const WITHIN_CPU_MS = 20;

interface Pattern {
  location: string;
  pattern: RegExp;
}

/** Every regex literal of a file, found with the TypeScript parser. */
function patternsIn(path: string): Pattern[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const literals: Pattern[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, body = '', flags = ''] = /^\/(.*)\/(\w*)$/s.exec(node.text) ?? [];
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      literals.push({
        location: `${path}:${line + 1} ${node.text}`,
        pattern: new RegExp(body, flags.replace('g', '')),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return literals;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

/** Texts that provoke backtracking: long runs of the pattern's characters with an unexpected end. */
function hostileTexts({ source }: RegExp): string[] {
  const named = new Set([...source.replaceAll(/\\./g, ''), ...'a0 \n']);
  const runs = [...named].flatMap((character) => [character, `${character}a`]);
  return runs.map((run) => `Bearer ${run.repeat(CHARACTERS / run.length)}\u0000!`);
}

/** The minimum CPU time of a few attempts, to exclude noise. */
function cpuMs(pattern: RegExp, text: string): number {
  let minimum = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && minimum > WITHIN_CPU_MS; attempt++) {
    const before = process.cpuUsage();
    pattern.test(text);
    const { user, system } = process.cpuUsage(before);
    minimum = Math.min(minimum, (user + system) / 1_000);
  }
  return minimum;
}

function isSlow(pattern: RegExp): boolean {
  return hostileTexts(pattern).some((text) => cpuMs(pattern, text) > WITHIN_CPU_MS);
}

const patterns = [...filesIn('src'), ...filesIn('web')].flatMap(patternsIn);

describe('the regular expressions of the hub and its pages', () => {
  test('are all found', () => {
    expect(patterns.length).toBeGreaterThan(30);
    expect(patterns.map(({ location }) => location)).toContainEqual(
      expect.stringMatching(/^src\/platform\/http\/request\.reader\.ts:/),
    );
  });

  test('never backtrack excessively on long texts', () => {
    expect(patterns.filter(({ pattern }) => isSlow(pattern)).map(({ location }) => location)).toEqual([]);
  });

  test('would be reported if they did', () => {
    expect(isSlow(/\s+$/)).toBe(true);
  });
});
