// Writes the measured figures into the documents and draws the chart, so that no figure is typed by hand.
//
//   npm run performance               from docs/performance.json
//   npm run performance -- --check    fails if a document or the chart differs from docs/performance.json
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { capacityPlan } from './capacity.plan.js';
import { chart } from './chart.js';
import { goalRows, missedGoals } from './goals.js';
import { DATABASE_NAMES, type Performance } from './performance.js';
import { cellsOf, ratioOf } from './report.js';
import { scenarios } from './scenarios.js';
import { labelOf, totalWork, WAITING } from './stages.js';

const FIGURES = 'docs/performance.json';
const CHART = 'docs/performance.svg';
/** Each may hold any of the parts below, or none. */
const PAGES = ['README.md', 'PERFORMANCE.md', 'docs/benchmarks.md', 'docs/scaling.md'];
/** Fewer rounds have no meaningful median. */
const ROUNDS_MIN = 3;
const COMPARED = { scenarios: ['place', 'pay', 'ship', 'life', 'lone'], baselines: ['usual', 'lean', 'bare'] };
const PROFILED_ROW = 'place, hub';

const measured = JSON.parse(readFileSync(FIGURES, 'utf8')) as Performance;
const names = Object.fromEntries(Object.entries(DATABASE_NAMES).filter(([database]) => measured.results[database]));
const databases = Object.keys(names);

function machineLine(): string {
  const { processor, cores, memoryGb, node, system, loadBefore } = measured.machine;
  const results = Object.values(measured.results).flatMap((each) => Object.values(each));
  const day = results
    .map(({ at }) => at)
    .sort()
    .at(-1)
    ?.slice(0, 10);
  const trials = results.filter(({ rounds }) => rounds < ROUNDS_MIN).length;
  const caveat = trials > 0 ? ` ${trials} of ${results.length} scenarios ran fewer than ${ROUNDS_MIN} rounds.` : '';
  return `Measured on ${day}: ${processor}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}; load average before ${loadBefore}.${caveat}`;
}

/** The hub's rate and CPU time per message as multiples of each baseline's. */
function ratioTable(): string {
  const rows = COMPARED.scenarios.flatMap((scenario) =>
    COMPARED.baselines.map((baseline) => [
      `\`${scenario}\` vs *${baseline}*`,
      ...databases.flatMap((database) => {
        const { hub, [baseline]: other } = measured.results[database]?.[scenario]?.rows ?? {};
        return (['perSecond', 'cpuUs'] as const).map(
          (figure) => ratioOf(hub?.median[figure], other?.median[figure]) ?? '–',
        );
      }),
    ]),
  );
  return markdown([['', ...Object.values(names).flatMap((name) => [`${name} rate`, 'CPU'])], ...rows]);
}

function goalTable(): string {
  return markdown([['', 'goal', ...Object.values(names)], ...goalRows(measured, databases)]);
}

function scenarioTables(): string {
  return Object.entries(names)
    .flatMap(([database, name]) => [
      `### ${name}`,
      ...Object.entries(measured.results[database] ?? {}).map(([scenario, result]) => {
        const description = scenarios[scenario]?.description ?? result.says;
        const rounds = `${result.rounds} round${result.rounds > 1 ? 's' : ''}`;
        return `**${scenario}**: ${description}. Medians of ${rounds}.\n\n${markdown(cellsOf(result))}`;
      }),
    ])
    .join('\n\n');
}

/** CPU time of each stage of a `place`, a column for each database. */
function stageTable(): string {
  const stagesOf = (database: string) => measured.stages?.[database]?.[PROFILED_ROW] ?? [];
  const profiled = Object.entries(DATABASE_NAMES).filter(([database]) => stagesOf(database).length > 0);
  if (profiled.length === 0) return 'Not measured yet.';
  const columns = profiled.map(([database]) => stagesOf(database));
  const usOf = (stage: string) =>
    columns.map((stages) => (stages.find((each) => each.stage === stage)?.us ?? 0).toFixed(1));
  const stages = new Set(columns.flatMap((column) => column.map(({ stage }) => stage)));
  stages.delete(WAITING);
  return markdown([
    ['µs per `place`', ...profiled.map(([, name]) => name)],
    ...[...stages].map((stage) => [labelOf(stage), ...usOf(stage)]),
    ['**all work**', ...columns.map((column) => totalWork(column).toFixed(1))],
    [labelOf(WAITING), ...usOf(WAITING)],
  ]);
}

function markdown([head = [], ...body]: string[][]): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map((_, column) => (column === 0 ? '---' : '--:'))), ...body.map(row)].join('\n');
}

const parts: Record<string, () => string> = {
  machine: machineLine,
  ratios: ratioTable,
  missed: () => missedGoals(measured, names).join('\n') || 'None.',
  goals: goalTable,
  stages: stageTable,
  plan: () => markdown(capacityPlan(measured)),
  tables: scenarioTables,
};
const placed = new Set<string>();

/** The page with each part between `<!-- bench: name -->` and `<!-- /bench -->` replaced. */
function render(page: string): string {
  return page.replace(/(<!-- bench: (\w+) -->\n)[\s\S]*?(<!-- \/bench -->)/g, (_match, begin, name, end) => {
    const part = parts[name];
    if (!part) throw new Error(`Unknown part ${name}`);
    placed.add(name);
    return `${begin}${part()}\n${end}`;
  });
}

const isChecking = process.argv.includes('--check');
function put(path: string, next: string): void {
  if (!isChecking) writeFileSync(path, next);
  else if (readFileSync(path, 'utf8') !== next)
    throw new Error(`${path} differs from ${FIGURES}: run npm run performance`);
}

for (const page of PAGES) put(page, render(readFileSync(page, 'utf8')));
const missing = Object.keys(parts).filter((name) => !placed.has(name));
if (missing.length > 0) throw new Error(`No page has a place for: ${missing.join(', ')}`);
const picture = chart(measured);
if (picture) put(CHART, picture);
