import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { refusals } from '../src/contract/errors.js';
import { messages, pushes, routes } from '../src/contract/wire.js';

const FILE_LINES_MAX = 260;
const FUNCTION_LINES_MAX = 50;

interface SourceFile {
  path: string;
  text: string;
  lines: string[];
}

function filesOf(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => {
      const path = join(folder, name).replaceAll('\\', '/');
      const text = readFileSync(path, 'utf8');
      return { path, text, lines: text.split('\n') };
    });
}

const sources = filesOf('src');
const pages = filesOf('web');
const tests = filesOf('test').filter(({ path }) => path !== 'test/tidy.spec.ts');

function pathsThat(isFault: (file: SourceFile) => boolean): string[] {
  return sources.filter(isFault).map(({ path }) => path);
}

/** Methods and functions, by their closing brace standing under the first letter of the line that opened them. */
function longFunctions({ path, lines }: SourceFile): string[] {
  const faults: string[] = [];
  lines.forEach((line, start) => {
    const opened = /^(\s*)(?:export )?(?:(?:private|static|override|async|function) ?)*[\w']+(?:<.*>)?\(.*\{$/.exec(
      line,
    );
    if (!opened || /^\s*(if|for|while|switch|return)\b/.test(line)) return;
    const end = lines.findIndex((other, index) => index > start && other.startsWith(`${opened[1]}}`));
    if (end - start > FUNCTION_LINES_MAX) faults.push(`${path}:${start + 1}`);
  });
  return faults;
}

describe('the house rules', () => {
  test('a file tells one story: it fits on a few screens', () => {
    const long = [...sources, ...pages].filter(({ lines }) => lines.length > FILE_LINES_MAX);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('a function fits on a screen', () => {
    const known = ['src/platform/migrations/0001-initial.ts']; // one statement a table
    expect(sources.flatMap(longFunctions).filter((fault) => !known.includes(fault.split(':')[0] ?? ''))).toEqual([]);
  });

  test('the environment is read where processes begin, and nowhere else', () => {
    expect(pathsThat(({ text }) => text.includes('process.env')).sort()).toEqual(['src/migrate.ts', 'src/start.ts']);
  });

  test('a database is named in the dialect only, with its driver and the default URL', () => {
    const named = pathsThat(({ lines }) =>
      lines.some((line) => /sqlite|mysql|mariadb|innodb/i.test(line) && !/^\s*(\/\/|\/?\*)/.test(line)),
    );
    expect(named.sort()).toEqual([
      'src/config.ts',
      'src/platform/dialect.ts',
      'src/platform/embedded.driver.ts',
      'src/platform/server.driver.ts',
    ]);
  });

  test('there are no barrels, no leftovers and nothing without a type', () => {
    expect(pathsThat(({ path }) => basename(path) === 'index.ts')).toEqual([]);
    const untidy = [...sources, ...pages].filter(({ text }) =>
      /TODO|FIXME|XXX|@ts-|biome-ignore|: any\b|as any\b|console\.(?!log\(`|error\()/.test(text),
    );
    expect(untidy.map(({ path }) => path)).toEqual([]);
  });

  test.each(['ARCHITECTURE.md', 'README.md', 'CONTRIBUTING.md'])('what %s names is there', (page) => {
    const named = [...readFileSync(page, 'utf8').matchAll(/`((?:src|web|test|scripts|examples|demo)\/[\w./]+)`/g)];
    const missing = named.flatMap(([, path = '']) => (existsSync(path) ? [] : [path]));
    expect(missing).toEqual([]);
  });

  test('a name says what a thing is for', () => {
    expect(pathsThat(({ path }) => /manager|helper|utils?\b|common|misc/i.test(basename(path)))).toEqual([]);
  });
});

describe('the contract and its tests', () => {
  const tested = tests.map(({ text }) => text).join('\n');

  test.each(Object.keys(messages))('the message %s has a test that names it', (name) => {
    expect(tested.includes(`'${name}'`)).toBe(true);
  });

  test.each(Object.keys(pushes))('the push %s has a test that names it', (name) => {
    expect(tested.includes(name)).toBe(true);
  });

  test.each(Object.keys(refusals))('the refusal %s has a test that names it', (code) => {
    expect(tested.includes(`'${code}'`)).toBe(true);
  });

  test.each(Object.values(routes).map(({ method, path }) => [method, path]))(
    'the route %s %s has a test that asks it',
    (_method, path) => {
      // A test may name a step of the path by a value that goes through a table.
      const steps = path
        .split('/')
        .slice(1)
        .map((step) => (step.startsWith(':') ? '[^/\'"`]+' : `(${step}|\\$\\{\\w+\\})`));
      const asked = new RegExp(`/${steps.join('/')}`);
      expect(asked.test(tested)).toBe(true);
    },
  );
});
