// Makes the clone ready to run: installs when node_modules is missing or older than the lock file, builds when dist is
// older than the sources. Needs nothing but Node and npm, and takes no time when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const INSTALLED = join(root, 'node_modules', '.package-lock.json');
const BUILT = join(root, 'dist', '.built');
const PAGES = join(root, 'dist', 'web', 'index.html');

function modifiedAt(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, modifiedAt(join(path, name))), stat.mtimeMs);
}

function run(what, command, ...args) {
  console.log(`${what} …`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    // Asked for by a test, it must not build what is for tests: React's other half, half as large again.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

if (modifiedAt(INSTALLED) < modifiedAt(join(root, 'package-lock.json'))) {
  // Nothing that the hub needs runs an install script: binaries come inside packages.
  run('Installing', 'npm', 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  const now = new Date();
  utimesSync(INSTALLED, now, now);
}
const sources = ['src', 'tsconfig.json', 'nest-cli.json', join('scripts', 'bundle.mjs')].map((path) =>
  modifiedAt(join(root, path)),
);
if (modifiedAt(BUILT) < Math.max(...sources, modifiedAt(INSTALLED))) {
  run('Building', process.execPath, join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build');
  run('Putting it into one file', process.execPath, join(root, 'scripts', 'bundle.mjs'));
  writeFileSync(BUILT, '');
}
const pages = ['web', join('src', 'client'), join('src', 'contract')].map((path) => modifiedAt(join(root, path)));
if (modifiedAt(PAGES) < Math.max(...pages, modifiedAt(INSTALLED))) {
  run(
    'Building the pages',
    process.execPath,
    join(root, 'node_modules', 'vite', 'bin', 'vite.js'),
    'build',
    'web',
    '--logLevel',
    'warn',
  );
}
