// Prints how much of src the tests reach, by statements and branches.
//
//   npm run coverage                       runs the tests on the embedded database, or on TEST_DATABASE_URL, and reports
//   node scripts/coverage.mjs FOLDER...    merges runs made with COVERAGE=FOLDER; fails if a branch of the core was missed
//
// Only the test process is instrumented: what hubs in processes of their own reach comes on top.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import process from 'node:process';
import { prepare } from './prepare.mjs';

/** Where every branch must be reached: rules, batch, queue, rooms, socket adapter. */
const CORE = [
  /^src\/\w+\/((order|refund|wallet|stock)\.rules|order\.(steps|lines|settlement))\.ts$/,
  /^src\/commands\/(command\.executor|unit\.of\.work|command\.batch|batch\.loader|batch\.writer|command\.queue|command\.backlog)\.ts$/,
  /^src\/rooms\//,
  /^src\/platform\/sockets\/socket\.adapter\.ts$/,
];
/**
 * Files with branches that are reached by chance (by a race, by what another client holds, behind another limit) or by processes of
 * their own (`restored`). Reported, but no failure.
 */
const BY_CHANCE =
  /^src\/(platform\/sockets\/socket\.adapter|commands\/(command\.batch|command\.queue|command\.backlog|batch\.loader)|rooms\/[\w.]+)\.ts$/;

await prepare({ dev: true });
// A dependency of Jest's reporters, resolved from there.
const jest = createRequire(createRequire(import.meta.url).resolve('@jest/core'));
const { createCoverageMap } = createRequire(jest.resolve('@jest/reporters'))('istanbul-lib-coverage');

const merged = process.argv.slice(2);
const folders = merged.length > 0 ? merged : [join('coverage', 'here')];
let status = 0;
if (merged.length === 0) {
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

const unmatched = CORE.filter((pattern) => !files.some(({ path }) => pattern.test(path)));
if (unmatched.length > 0) console.log(`\nPatterns of the core that match no file:\n${unmatched.join('\n')}`);
const core = files.filter(({ path }) => CORE.some((pattern) => pattern.test(path)));
const missed = core.flatMap(missedBranches);
if (missed.length > 0) console.log(`\nBranches of the core that no test reaches:\n${missed.join('\n')}`);
const required = core.filter(({ path }) => !BY_CHANCE.test(path)).flatMap(missedBranches);
process.exit(merged.length > 0 && unmatched.length + required.length > 0 ? 1 : status);

function row({ statements, branches }, name) {
  return `${[statements, branches].map(({ pct }) => `${pct.toFixed(1).padStart(8)} %`).join('')}  ${name}`;
}

function missedBranches({ path, coverage: { branchMap, b } }) {
  return Object.entries(branchMap).flatMap(([id, { type, loc, locations }]) =>
    locations.flatMap(({ start }, index) =>
      b[id][index] > 0
        ? []
        : [`  ${path}:${start.line ?? loc.start.line} (${type}, ${index + 1} of ${locations.length})`],
    ),
  );
}
