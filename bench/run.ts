// Compares the hub with its baselines in one run on one machine, and prints ratios.
//
//   npm run bench                                    the main scenarios on the embedded database, 3 rounds
//   npm run bench -- --quick                         a smoke test that measures nothing: its runs are exact
//   npm run bench -- --cores 2                       every system, with all its threads, on two cores; one by default
//   npm run bench -- --only all                      also the scenarios of table size, sockets and background load
//   npm run bench -- --on sqlite,mariadb,mysql       also on private database servers (Debian, root)
//   npm run bench -- --only place,lone --rounds 5    selected scenarios, more rounds
//   npm run bench -- --systems hub,lean --seconds 5  selected systems, a longer measured window
//   npm run bench -- --profile <folder>              a CPU profile of each run, and its stages
//   npm run bench -- --json docs/performance.json    merges the results into the file
//
// A run is exact if the database and the pushes match the acknowledged commands. The exit status is 0 only if all runs were.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Databases } from './databases.js';
import { measure, measureStart, type Outcome, type Setting } from './measure.js';
import { machine, type Performance } from './performance.js';
import { type Figures, isSaturated, type Result, resultOf, textTable } from './report.js';
import { type Row, type Scenario, scenariosNamed } from './scenarios.js';
import { type Server, startServer } from './server.js';
import { type Stage, stageTable } from './stages.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    systems: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    on: { type: 'string', default: 'sqlite' },
    json: { type: 'string' },
    profile: { type: 'string' },
    quick: { type: 'boolean', default: false },
    cores: { type: 'string', default: '1' },
  },
});
const cores = Number(options.cores);
if (!(cores >= 1 && cores <= availableParallelism())) throw new Error(`--cores is 1 to ${availableParallelism()} here`);
const seconds = Number(options.seconds ?? (options.quick ? 0.7 : 3));
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
/** Long enough for V8 to optimize the hub, which takes longer than a small baseline. */
const warmUpMs = options.quick ? 300 : 10_000;
const selected = scenariosNamed(options.only, options.quick);
/** Seeding, starting, connecting and auditing. */
const OVERHEAD_SECONDS = 4;
const START_SECONDS = 1.5;
/** Seeding and auditing 1,100,000 orders. */
const LARGE_SEED_SECONDS = 120;
let isExact = true;

function rowsOf({ rows, isOnServerOnly }: Scenario, isOnServer: boolean): [string, Row][] {
  if (isOnServerOnly && !isOnServer) return [];
  return Object.entries(rows).filter(
    ([, { system }]) => !options.systems || options.systems.split(',').includes(system),
  );
}

function roundsOf({ roundsMin = 0 }: Scenario): number {
  return options.rounds ? rounds : Math.max(rounds, roundsMin);
}

function estimateSeconds(databases: string[]): number {
  let total = 0;
  for (const database of databases) {
    for (const scenario of Object.values(selected)) {
      for (const [, row] of rowsOf(scenario, database !== 'sqlite')) {
        const run = seconds + warmUpMs / 1_000 + (row.before ? seconds : 0) + OVERHEAD_SECONDS;
        total += roundsOf(scenario) * (row.isStart ? START_SECONDS : run);
      }
    }
    if (Object.values(selected).some(({ rows }) => Object.values(rows).some(({ market }) => market.orders)))
      total += LARGE_SEED_SECONDS;
  }
  return total;
}

/** All rounds of a scenario on one database. Adds the stages of profiled runs to `stages`. */
async function compare(
  name: string,
  scenario: Scenario,
  setting: Setting,
  stages: Record<string, Stage[]>,
): Promise<Result | undefined> {
  const rows = rowsOf(scenario, setting.server !== undefined);
  if (rows.length === 0) return undefined;
  const figures: Record<string, Figures[]> = {};
  const at = new Date().toISOString();
  for (let round = 1; round <= roundsOf(scenario); round++) {
    for (const [label, row] of rows) {
      const title = `${name}, ${label}, round ${round}`;
      const outcome = await runRow(row, setting, rateOf(row, figures), title);
      if (outcome.errors.length > 0) {
        isExact = false;
        console.log(`${title} does not count: ${outcome.errors.join('; ')}`);
        continue;
      }
      figures[label] = [...(figures[label] ?? []), outcome.figures];
      if (!outcome.stages) continue;
      stages[`${name}, ${label}`] = outcome.stages;
      console.log(`\n${title}\n${stageTable(outcome.stages)}`);
    }
  }
  return resultOf(scenario, figures, { at, rounds: roundsOf(scenario), seconds });
}

/** A run that throws does not count; the next ones may. */
async function runRow(row: Row, setting: Setting, rate: number | undefined, title: string): Promise<Outcome> {
  try {
    if (row.isStart) return await measureStart(row, setting);
    return await measure(row, setting, rate, title.replaceAll(/[ ,]+/g, '-'));
  } catch (error) {
    return { figures: {}, errors: [String(error)] };
  }
}

/** The row's open-loop rate: fixed, or relative to another row of the same round. */
function rateOf({ rate }: Row, figures: Record<string, Figures[]>): number | undefined {
  if (typeof rate !== 'object') return rate;
  const reached = figures[rate.of]?.at(-1)?.perSecond;
  return reached && reached * rate.share;
}

async function compareAll(
  database: string,
): Promise<{ results: Record<string, Result>; stages: Record<string, Stage[]> }> {
  const server: Server | undefined = startServer(database);
  const databases = new Databases(server?.url);
  const results: Record<string, Result> = {};
  const stages: Record<string, Stage[]> = {};
  try {
    const setting: Setting = {
      ...{ databases, server, warmUpMs, measureMs: seconds * 1_000, cores },
      ...(options.profile ? { profiles: `${options.profile}/${database}` } : {}),
    };
    for (const [name, scenario] of Object.entries(selected)) {
      const result = await compare(name, scenario, setting, stages);
      if (!result) continue;
      results[name] = result;
      console.log(`\n${name}: ${result.says}\n${textTable(result)}`);
      const saturated = Object.entries(result.rows).filter(([, { median }]) => isSaturated(median.loadShare));
      if (saturated.length > 0)
        console.log(`! the load saturated its core: ${saturated.map(([row]) => row)} may be faster than shown`);
    }
    const errors = await databases.audit();
    if (errors.length > 0) isExact = false;
    for (const error of errors) console.log(`Results on a shared database do not count: ${error}`);
  } finally {
    await databases.drop();
    server?.stop();
  }
  return { results, stages };
}

const databases = options.on.split(',');
console.log(`About ${Math.ceil(estimateSeconds(databases) / 60)} minutes`);
const start = performance.now();
const previous: Performance | undefined =
  options.json && existsSync(options.json) ? JSON.parse(readFileSync(options.json, 'utf8')) : undefined;
const saved: Performance = { results: {}, stages: {}, ...previous, machine: machine() };
for (const database of databases) {
  console.log(`\nOn ${database}`);
  const { results, stages } = await compareAll(database);
  // A profiler slows the system: only the stages of a profiled run are kept.
  if (options.profile) saved.stages = { ...saved.stages, [database]: { ...saved.stages?.[database], ...stages } };
  else saved.results[database] = { ...saved.results[database], ...results };
  if (options.json && isExact) writeFileSync(options.json, `${JSON.stringify(saved, null, 2)}\n`);
}
const elapsed = Math.round((performance.now() - start) / 1_000);
if (options.quick) console.log('\nThe quick form measures nothing: its figures are not to be compared');
console.log(`\n${elapsed} s; ${isExact ? 'every run was exact' : 'not every run was exact: nothing was saved'}`);
if (!isExact) process.exitCode = 1;
