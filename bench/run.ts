// Compares the hub with what one would write or pick instead, in one run on one machine, and prints ratios.
//
//   npm run bench                                    the main scenarios on the embedded database, 3 rounds
//   npm run bench -- --quick                         in seconds: that the benchmark works and its runs are exact
//   npm run bench -- --only all                      also those that show how the hub bears size
//   npm run bench -- --on sqlite,mariadb,mysql       on servers of its own as well (Debian, root)
//   npm run bench -- --only place,lone --rounds 5    some scenarios; the more rounds, the steadier
//   npm run bench -- --systems hub,lean --seconds 5  some systems; how long each run is measured
//   npm run bench -- --profile <folder>              a CPU profile of what each run measured, and its stages
//   npm run bench -- --json docs/performance.json    keeps what was measured; what is not measured now stays in the file
//
// The exit status is 0 only if every run was exact.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Databases, measure, measureStart, type Outcome, type Setting } from './measure.js';
import { machine, type Performance } from './performance.js';
import { type Figures, isSaturated, type Result, resultOf, table } from './report.js';
import { type Row, type Scenario, scenariosNamed } from './scenarios.js';
import { type Server, startServer } from './server.js';
import { type Stage, stageLines } from './stages.js';

const { values: asked } = parseArgs({
  options: {
    only: { type: 'string' },
    systems: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    on: { type: 'string', default: 'sqlite' },
    json: { type: 'string' },
    profile: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const seconds = Number(asked.seconds ?? (asked.quick ? 0.7 : 3));
const rounds = Number(asked.rounds ?? (asked.quick ? 1 : 3));
/** What a process does in its first seconds it does while it is still being compiled: a larger program for longer than a small one. */
const warmUpMs = asked.quick ? 300 : 10_000;
const wanted = scenariosNamed(asked.only, asked.quick);
/** Furnishing, starting, connecting, looking through the books. */
const BESIDES_SECONDS = 4;
const START_SECONDS = 1.5;
/** Writing a million orders and a hundred thousand, and auditing them. */
const LARGE_SECONDS = 120;
let isExact = true;

function rowsOf({ rows, isOnServerOnly }: Scenario, isOnServer: boolean): [string, Row][] {
  if (isOnServerOnly && !isOnServer) return [];
  return Object.entries(rows).filter(([, { system }]) => !asked.systems || asked.systems.split(',').includes(system));
}

function roundsOf({ roundsMin = 0 }: Scenario): number {
  return asked.rounds ? rounds : Math.max(rounds, roundsMin);
}

/** About how long all of it takes, in seconds. */
function estimate(databases: string[]): number {
  let total = 0;
  for (const database of databases) {
    for (const scenario of Object.values(wanted)) {
      for (const [, row] of rowsOf(scenario, database !== 'sqlite')) {
        const one = seconds + warmUpMs / 1_000 + (row.before ? seconds : 0) + BESIDES_SECONDS;
        total += roundsOf(scenario) * (row.isStart ? START_SECONDS : one);
      }
    }
    if (Object.values(wanted).some(({ rows }) => Object.values(rows).some(({ market }) => market.orders)))
      total += LARGE_SECONDS;
  }
  return total;
}

/** The rounds of a scenario on one database, by turns. */
async function compare(
  name: string,
  scenario: Scenario,
  setting: Setting,
  stages: Record<string, Stage[]>,
): Promise<Result | undefined> {
  const rows = rowsOf(scenario, setting.server !== undefined);
  if (rows.length === 0) return undefined;
  const found: Record<string, Figures[]> = {};
  const at = new Date().toISOString();
  for (let round = 1; round <= roundsOf(scenario); round++) {
    for (const [label, row] of rows) {
      const title = `${name}, ${label}, round ${round}`;
      const run = await outcomeOf(row, setting, rateOf(row, found), title);
      if (run.faults.length > 0) {
        isExact = false;
        console.log(`${title} does not count: ${run.faults.join('; ')}`);
        continue;
      }
      found[label] = [...(found[label] ?? []), run.figures];
      if (!run.stages) continue;
      stages[`${name}, ${label}`] = run.stages;
      console.log(`\n${title}\n${stageLines(run.stages)}`);
    }
  }
  return resultOf(scenario, found, { at, rounds: roundsOf(scenario), seconds });
}

/** A run that breaks down is one that does not count: those after it may. */
async function outcomeOf(row: Row, setting: Setting, rate: number | undefined, title: string): Promise<Outcome> {
  try {
    if (row.isStart) return await measureStart(row, setting);
    return await measure(row, setting, rate, title.replaceAll(/[ ,]+/g, '-'));
  } catch (error) {
    return { figures: {}, faults: [String(error)] };
  }
}

/** What this round's other row has just reached, or what the row names itself. */
function rateOf({ rate }: Row, found: Record<string, Figures[]>): number | undefined {
  if (typeof rate !== 'object') return rate;
  const reached = found[rate.of]?.at(-1)?.perSecond;
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
      ...{ databases, server, warmUpMs, measureMs: seconds * 1_000 },
      ...(asked.profile ? { profiles: `${asked.profile}/${database}` } : {}),
    };
    for (const [name, scenario] of Object.entries(wanted)) {
      const result = await compare(name, scenario, setting, stages);
      if (!result) continue;
      results[name] = result;
      console.log(`\n${name}: ${result.says}\n${table(result)}`);
      const full = Object.entries(result.rows).filter(([, { median }]) => isSaturated(median.loadShare));
      if (full.length > 0) console.log(`! the load's own core was full: ${full.map(([row]) => row)} may do more`);
    }
    const faults = await databases.audit();
    if (faults.length > 0) isExact = false;
    for (const fault of faults) console.log(`What was measured there does not count: ${fault}`);
  } finally {
    await databases.drop();
    server?.stop();
  }
  return { results, stages };
}

const databases = asked.on.split(',');
console.log(`About ${Math.ceil(estimate(databases) / 60)} minutes`);
const began = performance.now();
const earlier: Performance | undefined =
  asked.json && existsSync(asked.json) ? JSON.parse(readFileSync(asked.json, 'utf8')) : undefined;
const kept: Performance = { results: {}, stages: {}, ...earlier, machine: machine() };
for (const database of databases) {
  console.log(`\nOn ${database}`);
  const { results, stages } = await compareAll(database);
  // A profiler slows what it looks at: what was measured under one says where the time goes, and nothing else.
  if (asked.profile) kept.stages = { ...kept.stages, [database]: { ...kept.stages?.[database], ...stages } };
  else kept.results[database] = { ...kept.results[database], ...results };
  if (asked.json && isExact) writeFileSync(asked.json, `${JSON.stringify(kept, null, 2)}\n`);
}
const took = Math.round((performance.now() - began) / 1_000);
console.log(`\n${took} s; ${isExact ? 'every run was exact' : 'not every run was exact: nothing is kept'}`);
if (!isExact) process.exitCode = 1;
