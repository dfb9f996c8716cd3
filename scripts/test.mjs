// Runs the tests on one database: the embedded one, or the server that TEST_DATABASE_URL leads to. Says what it left out.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';

const jest = join('node_modules', 'jest', 'bin', 'jest.js');
const { status } = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
if (process.env.TEST_DATABASE_URL) {
  console.log(`\nThese tests ran on ${new URL(process.env.TEST_DATABASE_URL).host}.`);
} else {
  console.log(`
These tests ran on the embedded database. Left out, because they need a server:
  - the same tests on MariaDB and on MySQL: TEST_DATABASE_URL=mysql://user:password@host:port/database npm test
    (the account must be able to create databases; the tests make their own and drop them)
\`.ci/run\` starts such servers by itself and leaves nothing out.`);
}
process.exit(status ?? 1);
