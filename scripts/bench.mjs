// Compiles the benchmark and runs one of its entries: `run` measures (npm run bench), `document` writes PERFORMANCE.md
// from the results (npm run performance).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { prepare } from './prepare.mjs';

await prepare({ dev: true });
const [entry, ...parameters] = process.argv.slice(2);
const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
for (const command of [
  [tsc, '-p', 'bench'],
  [join('dist', '.bench', 'bench', `${entry}.js`), ...parameters],
]) {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
