import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { errorTypes } from '../src/contract/errors.js';
import { messages, pushes, routes } from '../src/contract/wire.js';

const FILE_LINES_MAX = 260;
const FUNCTION_LINES_MAX = 50;
const MEAN_FILE_LINES_MAX = 80;
const LOOSE_PLATFORM_FILES_MAX = 6;

/** Names that were replaced by the terms of the field. None of them may come into use again, as an identifier or a file name. */
const RETIRED_NAMES = `
  Doorman Desk Door FrameSieve Unsent Gate Limits Tally Bounded Deadline Laps Journal
  Faults Refusal RefusalCode Asker SessionHolder isThere HintChannel inTurn patiently letGo
  Serves FromCaller FromSender World WaitingLine KeptAnswer Keeping DueWatch HubNodes HubWatch Told
  RoomFeed RoomFeeds OrderReads OrderCounts stepOf mayEver Party wordForWord SessionWatch LoginLimits
  speakHttp speakSockets boundConnections LastStorage Ears putOff runTogether isDoneElsewhere hasSigned
  Roamer roamer Fleet fleet Gunner gunner Speaker speaker Witness witness Shot shots Crowd furnish
`;
const RETIRED_FILES = `
  doorman frame.sieve rest unsent gate limits tally bounded laps journal faults among watch forget world decide
  batch.load batch.save kept.answer order.view book.view hub.nodes event.body old.events fold waiting.room again no.eval
  aside crowd plan ear roamer fleet gunner shots speaker judge stage witness
`;

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

function pathsThat(violates: (file: SourceFile) => boolean): string[] {
  return sources.filter(violates).map(({ path }) => path);
}

function wordsOf(list: string): Set<string> {
  return new Set(list.trim().split(/\s+/));
}

/** The identifiers of a file, without its comments and strings. */
function identifiersIn({ path, text }: SourceFile): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return found;
}

/** Methods and functions, whose closing brace has the indentation of their first line. */
function longFunctions({ path, lines }: SourceFile): string[] {
  const long: string[] = [];
  lines.forEach((line, start) => {
    const opened = /^(\s*)(?:export )?(?:(?:private|static|override|async|function) ?)*[\w']+(?:<.*>)?\(.*\{$/.exec(
      line,
    );
    if (!opened || /^\s*(if|for|while|switch|return)\b/.test(line)) return;
    const end = lines.findIndex((other, index) => index > start && other.startsWith(`${opened[1]}}`));
    if (end - start > FUNCTION_LINES_MAX) long.push(`${path}:${start + 1}`);
  });
  return long;
}

describe('the house rules', () => {
  test('files are short', () => {
    const long = [...sources, ...pages].filter(({ lines }) => lines.length > FILE_LINES_MAX);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('functions fit on a screen', () => {
    const known = ['src/platform/database/migrations/0001-initial.ts']; // one statement per table
    expect(sources.flatMap(longFunctions).filter((place) => !known.includes(place.split(':')[0] ?? ''))).toEqual([]);
  });

  test('npm start installs each package that the pages are built from', () => {
    const imported = pages.flatMap(({ text }) => [...text.matchAll(/ from '([^.'][^']*)';$/gm)]);
    const packages = new Set(imported.map(([, path = '']) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? ''));
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    const [builder = ''] = /const BUILDER = \[[^;]*;/.exec(readFileSync('scripts/prepare.mjs', 'utf8')) ?? [];
    expect(packages.size).toBeGreaterThan(4);
    expect([...packages].filter((name) => !(name in dependencies) && !builder.includes(`'${name}'`))).toEqual([]);
  });

  test('only entry points read the environment', () => {
    expect(pathsThat(({ text }) => text.includes('process.env')).sort()).toEqual([
      'src/cli.ts',
      'src/migrate.ts',
      'src/restored.ts',
      'src/start.ts',
    ]);
  });

  test('only the dialect, the drivers and the configuration name a database', () => {
    const named = pathsThat(({ lines }) =>
      lines.some((line) => /sqlite|mysql|mariadb|innodb/i.test(line) && !/^\s*(\/\/|\/?\*)/.test(line)),
    );
    expect(named.sort()).toEqual([
      'src/cli.ts',
      'src/config.ts',
      'src/platform/database/database.url.ts',
      'src/platform/database/dialect.resolver.ts',
      'src/platform/database/dialect.ts',
      'src/platform/database/embedded.driver.ts',
      'src/platform/database/file.lock.ts',
      'src/platform/database/server.checks.ts',
      'src/platform/database/server.dialect.ts',
      'src/platform/database/server.driver.ts',
      'src/platform/database/server.hosts.ts',
      'src/platform/database/session.settings.ts',
      'src/platform/database/sqlite.dialect.ts',
    ]);
  });

  test('there are no barrels, leftovers or untyped values', () => {
    expect(pathsThat(({ path }) => basename(path) === 'index.ts')).toEqual([]);
    const untidy = [...sources, ...pages].filter(({ text }) =>
      /TODO|FIXME|XXX|@ts-|biome-ignore|: any\b|as any\b|console\.(?!log\(`|error\()/.test(text),
    );
    expect(untidy.map(({ path }) => path)).toEqual([]);
  });

  const documents = readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));

  test.each(['ARCHITECTURE.md', 'README.md', 'CONTRIBUTING.md', ...documents])(
    'the files that %s names exist',
    (page) => {
      const named = [...readFileSync(page, 'utf8').matchAll(/`((?:src|web|test|scripts|examples|demo)\/[\w./]+)`/g)];
      const missing = named.flatMap(([, path = '']) => (existsSync(path) ? [] : [path]));
      expect(missing).toEqual([]);
    },
  );

  test('the constants that docs/limits.md names exist', () => {
    const named = [...readFileSync('docs/limits.md', 'utf8').matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !Object.hasOwn(errorTypes, name));
    expect(named.length).toBeGreaterThan(20);
    const isDeclared = (name: string) => sources.some(({ text }) => new RegExp(`\\bconst ${name}\\b`).test(text));
    expect(named.filter((name) => !isDeclared(name))).toEqual([]);
  });

  test('file names are specific', () => {
    expect(pathsThat(({ path }) => /manager|helper|utils?\b|common|misc/i.test(basename(path)))).toEqual([]);
  });

  test('the platform is grouped into folders', () => {
    const loose = pathsThat(({ path }) => dirname(path) === 'src/platform');
    expect(loose.length).toBeLessThanOrEqual(LOOSE_PLATFORM_FILES_MAX);
  });

  test('the mean file is short', () => {
    const lines = sources.reduce((sum, file) => sum + file.lines.length, 0);
    expect(lines / sources.length).toBeLessThanOrEqual(MEAN_FILE_LINES_MAX);
  });

  test.each([
    ['src', sources],
    ['web', pages],
    ['test', tests],
    ['bench', filesOf('bench')],
  ])('%s uses no retired names', (_folder, files) => {
    const [names, fileNames] = [wordsOf(RETIRED_NAMES), wordsOf(RETIRED_FILES)];
    const used = files.flatMap((file) => [
      ...(fileNames.has(basename(file.path).replace(/(\.spec)?\.tsx?$/, '')) ? [file.path] : []),
      ...[...identifiersIn(file)].filter((name) => names.has(name)).map((name) => `${file.path}: ${name}`),
    ]);
    expect(used).toEqual([]);
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

  test.each(Object.keys(errorTypes))('the error %s has a test that names it', (code) => {
    expect(tested.includes(`'${code}'`)).toBe(true);
  });

  test.each(Object.values(routes).map(({ method, path }) => [method, path]))(
    'the route %s %s has a test that requests it',
    (_method, path) => {
      // A test may interpolate a fixed step of the path from a table.
      const steps = path
        .split('/')
        .slice(1)
        .map((step) => (step.startsWith(':') ? '[^/\'"`]+' : `(${step}|\\$\\{\\w+\\})`));
      const requested = new RegExp(`/${steps.join('/')}`);
      expect(requested.test(tested)).toBe(true);
    },
  );
});
