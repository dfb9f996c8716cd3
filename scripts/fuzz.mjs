// Sends mutated messages, random JSON, random frames and random requests to a hub in a process of its own, and reports what
// it did with them. Input that is handled wrongly is saved in test/input/corpus, which every `npm test` replays.
//
//   npm run fuzz                                  a million frames on the embedded database
//   npm run fuzz -- --seed 7 --frames 50000       another seed; the least number of frames
//   DATABASE_URL=mysql://… npm run fuzz           on a server; the account must be able to create databases
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runJest } from './jest.mjs';
import { prepare } from './prepare.mjs';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 999_999)) },
    frames: { type: 'string', default: '1000000' },
  },
});

await prepare({ dev: true });
const temp = mkdtempSync(join(tmpdir(), 'order-hub-fuzz-'));
const report = join(temp, 'report');
writeFileSync(report, '');
const { DATABASE_URL: databaseUrl = '', ...environment } = process.env;
console.log(`Fuzzing with the seed ${options.seed}, at least ${options.frames} frames`);
const status = runJest(['test/input/fuzz.spec.ts'], {
  ...environment,
  TEST_DATABASE_URL: databaseUrl.startsWith('mysql:') ? databaseUrl : '',
  FUZZ_SEED: options.seed,
  FUZZ_FRAMES: options.frames,
  FUZZ_REPORT: report,
});
console.log(readFileSync(report, 'utf8') || `Seed ${options.seed}: the fuzzer did not finish`);
rmSync(temp, { recursive: true, force: true });
process.exit(status);
