// Runs Jest on one database: the embedded one, or the server of TEST_DATABASE_URL. Arguments are passed on to Jest.
import process from 'node:process';
import { runJest } from './jest.mjs';
import { prepare } from './prepare.mjs';

await prepare({ dev: true });
const parameters = process.argv.slice(2);
const status = runJest(parameters);
if (process.env.TEST_DATABASE_URL) {
  console.log(`\nThese tests ran on ${new URL(process.env.TEST_DATABASE_URL).host}.`);
} else if (parameters.length === 0) {
  console.log(`
These tests ran on the embedded database. The same tests run on MariaDB and MySQL with
  TEST_DATABASE_URL=mysql://user:password@host:port/database npm test
(the account must be able to create databases; the tests create their own and drop them). \`.ci/run\` starts such servers
and runs everything.`);
}
process.exit(status);
