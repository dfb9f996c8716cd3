// Prints how much of src the tests have reached, by statements and branches.
//
//   npm run coverage                          runs the tests on the embedded database (or where TEST_DATABASE_URL leads), and counts
//   node scripts/coverage.mjs FOLDER...       adds up runs with COVERAGE=FOLDER, and fails where a branch of the heart was not taken
//
// Only what runs in the tests' own process is counted: what hubs in processes of their own do comes on top.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import process from 'node:process';

/** Every branch that is not taken is named in these: the rules, the batch, its queue, the rooms, and who hears the sockets. */
const HEART = [
  /^src\/commands\/(order|wallet|stock)\.rules\.ts$/,
  /^src\/commands\/(decide|world|command\.batch|batch\.load|batch\.save|command\.queue|waiting\.line)\.ts$/,
  /^src\/rooms\//,
  /^src\/platform\/socket\.adapter\.ts$/,
];
/** Here some are taken by chance only: in a moment between two others, or by a limit that another one stands before. */
const BY_CHANCE = /^src\/(platform\/socket\.adapter|rooms\/room\.feed)\.ts$/;

// It comes with Jest, which is where it is looked for.
const jest = createRequire(createRequire(import.meta.url).resolve('@jest/core'));
const { createCoverageMap } = createRequire(jest.resolve('@jest/reporters'))('istanbul-lib-coverage');

const asked = process.argv.slice(2);
const folders = asked.length > 0 ? asked : [join('coverage', 'here')];
let status = 0;
if (asked.length === 0) {
  const env = { ...process.env, COVERAGE: folders[0] };
  status = spawnSync(process.execPath, [join('scripts', 'test.mjs')], { stdio: 'inherit', env }).status ?? 1;
}

const map = createCoverageMap({});
for (const folder of folders) map.merge(JSON.parse(readFileSync(join(folder, 'coverage-final.json'), 'utf8')));
const files = map
  .files()
  .map((path) => ({ path: relative('.', path).replaceAll('\\', '/'), coverage: map.fileCoverageFor(path) }))
  .sort((a, b) => (a.path < b.path ? -1 : 1));

console.log('\nstatements  branches');
for (const { path, coverage } of files) console.log(row(coverage.toSummary(), path));
console.log(row(map.getCoverageSummary(), 'all of src'));

const heart = files.filter(({ path }) => HEART.some((pattern) => pattern.test(path)));
const missed = heart.flatMap(branchesMissed);
if (missed.length > 0) console.log(`\nBranches of the heart that no test has taken:\n${missed.join('\n')}`);
const isFaulty = heart.filter(({ path }) => !BY_CHANCE.test(path)).flatMap(branchesMissed).length > 0;
process.exit(asked.length > 0 && isFaulty ? 1 : status);

function row({ statements, branches }, name) {
  return `${[statements, branches].map(({ pct }) => `${pct.toFixed(1).padStart(8)} %`).join('')}  ${name}`;
}

function branchesMissed({ path, coverage: { branchMap, b } }) {
  return Object.entries(branchMap).flatMap(([id, { type, loc, locations }]) =>
    locations.flatMap(({ start }, index) =>
      b[id][index] > 0
        ? []
        : [`  ${path}:${start.line ?? loc.start.line} (${type}, ${index + 1} of ${locations.length})`],
    ),
  );
}
