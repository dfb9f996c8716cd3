// Compares the hub with what one would write or pick instead, in one run on one machine, and prints ratios.
//
//   npm run bench                                    the main scenarios on the embedded database, 3 rounds
//   npm run bench -- --only all                      also those that show how the hub bears size
//   npm run bench -- --on sqlite,mariadb,mysql       on servers of its own as well (Debian, root)
//   npm run bench -- --only place,lone --rounds 5    some scenarios; the more rounds, the steadier
//   npm run bench -- --systems hub,lean --seconds 5  some systems; how long each run is measured
//   npm run bench -- --profile <folder>              a CPU profile of each run, to open in a browser’s developer tools
//   npm run bench -- --json figures.json             what was measured, for a program
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { faultsOf, furnish } from './market.js';
import { type Figures, figuresOf, summary, table } from './report.js';
import { type Scenario, scenarios, scenariosNamed } from './scenarios.js';
import { startServer } from './server.js';
import { type Cost, costOf, pinned, System, type SystemName } from './system.js';
import type { FromLoad, Measured, ToLoad, Work } from './wire.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const WARM_UP_MS = 2_000;

const { values: asked } = parseArgs({
  options: {
    only: { type: 'string' },
    systems: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    on: { type: 'string', default: 'sqlite' },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
});
const wanted = scenariosNamed(asked.only);

/** One run of one system on a database of its own. Gives nothing if it was not exact: then it does not count. */
async function measure(
  name: SystemName,
  scenario: Scenario,
  server: string | undefined,
  rate?: number,
): Promise<Figures | undefined> {
  const { steps, before, inFlight, shelf, besides, processes = 1 } = scenario;
  const [database, market] = await furnish(server, scenario.market);
  const running: System[] = [];
  try {
    for (let index = 0; index < processes; index++) running.push(await System.start(name, database, asked.profile));
    const work: Work = {
      urls: running.map(({ url }) => url),
      ...{ market, steps, inFlight, shelf },
      ...(before ? { before } : {}),
      ...(besides ? { besides } : {}),
      ...(rate ? { rate } : {}),
      warmUpMs: WARM_UP_MS,
      measureMs: Number(asked.seconds) * 1_000,
    };
    const costs: Cost[] = [];
    const measured = await runLoad(work, () => costs.push(costOf(running)));
    for (const system of running.splice(0)) await system.stop();
    const faults = [...measured.faults];
    if (name !== 'bare') faults.push(...(await faultsOf(database, market, measured.told, name === 'hub')));
    if (faults.length === 0) return figuresOf(measured, costs);
    console.log(`${name} does not count: ${faults.join('; ')}`);
    return undefined;
  } finally {
    for (const system of running) await system.stop();
    await database.drop();
  }
}

/** As `measure`, at a share of the rate that it finds first, where the scenario asks for that. */
async function measureAt(
  name: SystemName,
  scenario: Scenario,
  server: string | undefined,
): Promise<Figures | undefined> {
  if (!scenario.rateShare) return measure(name, scenario, server);
  const highest = await measure(name, scenario, server);
  return highest && measure(name, scenario, server, highest.perSecond * scenario.rateShare);
}

/** Lets a process of load work, and looks at the system when measuring begins and when it ends. */
function runLoad(work: Work, look: () => void): Promise<Measured> {
  const [command = '', ...flags] = pinned('load', [process.execPath]);
  const child = fork(join(HERE, 'load.js'), { execPath: command, execArgv: flags });
  const tell = (message: ToLoad) => child.send(message);
  let measured = { messages: 0, ms: 0 };
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The load ended with ${code}`)));
    child.on('message', (message: FromLoad) => {
      if (message.say === 'connected') tell({ say: 'start' });
      else if (message.say === 'measuring') look();
      else if (message.say === 'measured') {
        look();
        measured = message;
      } else resolve({ ...message, ...measured });
    });
    tell({ say: 'connect', work });
  });
}

type Results = Record<string, Partial<Record<SystemName, Figures[]>>>;

/** The rounds of every wanted scenario on one database; what each came to is printed when it is through. */
async function compare(server: string | undefined): Promise<Results> {
  const results: Results = {};
  for (const name of wanted) {
    const scenario = scenarios[name];
    if (!scenario || (scenario.onServerOnly && !server)) continue;
    const names = scenario.systems.filter((system) => !asked.systems || asked.systems.split(',').includes(system));
    const rounds: Results[string] = {};
    // By turns, so that what the machine does besides meets all of them.
    for (let round = 0; round < Number(asked.rounds); round++) {
      for (const system of names) {
        const figures = await measureAt(system, scenario, server);
        if (figures) rounds[system] = [...(rounds[system] ?? []), figures];
      }
    }
    results[name] = rounds;
    console.log(`\n${name}: ${scenario.says}\n${table(rounds)}`);
  }
  return results;
}

const results: Record<string, object> = {};
for (const database of asked.on.split(',')) {
  const server = startServer(database);
  console.log(`\nOn ${database}`);
  try {
    results[database] = summary(await compare(server?.url));
  } finally {
    server?.stop();
  }
}
if (asked.json) writeFileSync(asked.json, JSON.stringify({ at: new Date().toISOString(), results }, null, 2));
