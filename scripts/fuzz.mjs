// Throws mutated messages, random JSON, random frames and random requests at a hub in a process of its own, and prints what
// became of it. What is not dealt with as it must be is kept in test/input/corpus, and thrown again by every `npm test`.
//
//   npm run fuzz                                  a million frames on the embedded database
//   npm run fuzz -- --seed 7 --frames 50000       another course of events; how many at least
//   DATABASE_URL=mysql://… npm run fuzz           on a server; the account must be able to create databases
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values: asked } = parseArgs({
  options: {
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 999_999)) },
    frames: { type: 'string', default: '1000000' },
  },
});

const temp = mkdtempSync(join(tmpdir(), 'order-hub-fuzz-'));
const report = join(temp, 'report');
writeFileSync(report, '');
const { DATABASE_URL: databaseUrl = '', ...environment } = process.env;
const jest = join('node_modules', 'jest', 'bin', 'jest.js');
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
console.log(`Fuzzing with the seed ${asked.seed}, ${asked.frames} frames at least`);
const { status } = spawnSync(process.execPath, [...flags, jest, 'test/input/fuzz.spec.ts'], {
  stdio: 'inherit',
  env: {
    ...environment,
    TEST_DATABASE_URL: databaseUrl.startsWith('mysql:') ? databaseUrl : '',
    FUZZ_SEED: asked.seed,
    FUZZ_FRAMES: asked.frames,
    FUZZ_REPORT: report,
  },
});
console.log(readFileSync(report, 'utf8') || `Seed ${asked.seed}: the hub did not get to the end`);
rmSync(temp, { recursive: true, force: true });
process.exit(status ?? 1);
