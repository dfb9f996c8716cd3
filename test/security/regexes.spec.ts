import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

/** Long enough that a pattern which looks back over such a text again and again needs a hundred times as long as it may. */
const CHARACTERS = 8_000;
const WITHIN_CPU_MS = 20;

interface Pattern {
  where: string;
  pattern: RegExp;
}

/** Every regular expression that is written in a file, found as the compiler reads it. */
function patternsIn(path: string): Pattern[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Pattern[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, body = '', flags = ''] = /^\/(.*)\/(\w*)$/s.exec(node.text) ?? [];
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push({ where: `${path}:${line + 1} ${node.text}`, pattern: new RegExp(body, flags.replace('g', '')) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

/** Texts that a pattern may look over again and again: long runs of what it names, that end in what it does not expect. */
function hostileTexts({ source }: RegExp): string[] {
  const named = new Set([...source.replaceAll(/\\./g, ''), ...'a0 \n']);
  const runs = [...named].flatMap((character) => [character, `${character}a`]);
  return runs.map((run) => `Bearer ${run.repeat(CHARACTERS / run.length)}\u0000!`);
}

/** How long the processor was busy with it. The least of a few times: another program may have had the processor. */
function cpuMs(pattern: RegExp, text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 3 && least > WITHIN_CPU_MS; time++) {
    const before = process.cpuUsage();
    pattern.test(text);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

function isSlow(pattern: RegExp): boolean {
  return hostileTexts(pattern).some((text) => cpuMs(pattern, text) > WITHIN_CPU_MS);
}

const patterns = [...filesIn('src'), ...filesIn('web')].flatMap(patternsIn);

describe('the regular expressions of the hub and its pages', () => {
  test('are found where they are written', () => {
    expect(patterns.length).toBeGreaterThan(30);
    expect(patterns.map(({ where }) => where)).toContainEqual(expect.stringMatching(/^src\/platform\/http\.ts:/));
  });

  test('never look back over a long text again and again, whatever it is made of', () => {
    expect(patterns.filter(({ pattern }) => isSlow(pattern)).map(({ where }) => where)).toEqual([]);
  });

  test('would be found if they did', () => {
    expect(isSlow(/\s+$/)).toBe(true);
  });
});
