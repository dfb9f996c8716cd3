// Writes what was measured into PERFORMANCE.md and draws it, so that no figure there is typed by hand.
//
//   npm run performance               from docs/performance.json
//   npm run performance -- --check    fails if page and picture do not say what the file says
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { chart } from './chart.js';
import { goalLines } from './goals.js';
import type { Performance } from './performance.js';
import { planLines } from './plan.js';
import { cellsOf } from './report.js';

const FIGURES = 'docs/performance.json';
const PAGE = 'PERFORMANCE.md';
const PICTURE = 'docs/performance.svg';
/** Below that, a median is none. */
const ROUNDS_MIN = 3;
const NAMES = { sqlite: 'SQLite', mariadb: 'MariaDB', mysql: 'MySQL' } as Record<string, string>;

const measured = JSON.parse(readFileSync(FIGURES, 'utf8')) as Performance;
const databases = Object.keys(NAMES).filter((database) => measured.results[database]);
const names = databases.map((database) => NAMES[database] ?? database);

function machineLine(): string {
  const { processor, cores, memoryGb, node, system, loadBefore } = measured.machine;
  const results = Object.values(measured.results).flatMap((each) => Object.values(each));
  const day = results
    .map(({ at }) => at)
    .sort()
    .at(-1)
    ?.slice(0, 10);
  const trials = results.filter(({ rounds }) => rounds < ROUNDS_MIN).length;
  const doubt =
    trials > 0 ? ` ${trials} of ${results.length} scenarios were only tried, in fewer than ${ROUNDS_MIN} rounds.` : '';
  return `Measured on ${day}: ${processor}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}. Load average before: ${loadBefore}.${doubt}`;
}

function goalTable(): string {
  return markdown([['', 'goal', ...names], ...goalLines(measured, databases)]);
}

function tables(): string {
  return databases
    .flatMap((database) => [
      `### On ${NAMES[database]}`,
      ...Object.entries(measured.results[database] ?? {}).map(
        ([name, result]) =>
          `**${name}**: ${result.says}. Medians of ${result.rounds} round${result.rounds > 1 ? 's' : ''}.\n\n${markdown(cellsOf(result))}`,
      ),
    ])
    .join('\n\n');
}

/** A column for each database: what each stage takes of a `place`. */
function stageTable(): string {
  const stages = measured.stages ?? {};
  const profiled = Object.keys(NAMES).filter((database) => stages[database]?.['place, hub']);
  if (profiled.length === 0) return 'Not measured yet.';
  const of = (database: string) => stages[database]?.['place, hub'] ?? [];
  const all = [...new Set(profiled.flatMap((database) => of(database).map(({ stage }) => stage)))];
  const us = (database: string, stage: string) => of(database).find((each) => each.stage === stage)?.us ?? 0;
  const sum = (database: string) => of(database).reduce((total, each) => total + each.us, 0);
  return markdown([
    ['µs for each `place`', ...profiled.map((database) => NAMES[database] ?? database)],
    ...all.map((stage) => [stage, ...profiled.map((database) => us(database, stage).toFixed(1))]),
    ['all', ...profiled.map((database) => sum(database).toFixed(1))],
  ]);
}

function markdown([head = [], ...lines]: string[][]): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map((_, column) => (column === 0 ? '---' : '--:'))), ...lines.map(row)].join('\n');
}

const parts: Record<string, () => string> = {
  machine: machineLine,
  goals: goalTable,
  stages: stageTable,
  plan: () => markdown(planLines(measured)),
  tables,
};

/** The page with what stands between `<!-- bench: name -->` and `<!-- /bench -->` written anew. */
function written(page: string): string {
  return page.replace(/(<!-- bench: (\w+) -->\n)[\s\S]*?(<!-- \/bench -->)/g, (_all, begin, name, end) => {
    const part = parts[name];
    if (!part) throw new Error(`There is no part ${name}`);
    return `${begin}${part()}\n${end}`;
  });
}

const isChecking = process.argv.includes('--check');
function put(path: string, next: string): void {
  if (!isChecking) writeFileSync(path, next);
  else if (readFileSync(path, 'utf8') !== next) throw new Error(`${path} does not say what ${FIGURES} says`);
}

put(PAGE, written(readFileSync(PAGE, 'utf8')));
const picture = chart(measured);
if (picture) put(PICTURE, picture);
