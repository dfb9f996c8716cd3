// Makes a clone ready to run: installs and builds what is missing or out of date, and does nothing otherwise. It compares
// contents, never file times, so that a copied checkout starts at once.
//
//   node scripts/prepare.mjs          what `npm start` needs: the production dependencies and the builder
//   node scripts/prepare.mjs --dev    all dependencies
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { closure, isInstalled, readLock } from './build/lock.file.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const nodeModules = join(root, 'node_modules');
const dist = join(root, 'dist');

/** The development dependencies that the build needs; `npm start` installs no others. */
const BUILDER = [
  ...['@swc/core', 'esbuild', 'vite'],
  ...['@tanstack/react-virtual', 'jsbarcode', 'papaparse', 'react', 'react-dom'],
];
/** No dependency of the hub needs its install script: binaries are part of the packages. */
const CI = [
  ...['ci', '--include=dev', '--ignore-scripts', '--prefer-offline'],
  ...['--no-audit', '--no-fund', '--loglevel=error'],
];

const BUILDS = [
  {
    name: 'hub',
    sources: ['src', 'tsconfig.json'],
    output: join(dist, 'bundle', 'start.js'),
    command: [join(root, 'scripts', 'build', 'hub.mjs')],
  },
  {
    name: 'pages',
    sources: [
      ...['web', join('src', 'client'), join('src', 'contract'), join('src', 'react')],
      ...[join('scripts', 'build'), 'tsconfig.json'],
    ],
    output: join(dist, 'web', 'index.html'),
    command: [join(nodeModules, 'vite', 'bin', 'vite.js'), 'build', 'web', '--logLevel', 'warn'],
  },
];

export async function prepare({ dev = false } = {}) {
  await install(dev);
  const outdated = BUILDS.map((build) => ({ ...build, hash: hashOf(build.sources) })).filter(isOutdated);
  if (outdated.length > 0) console.log(`Building the ${outdated.map(({ name }) => name).join(' and the ')} …`);
  await Promise.all(
    outdated.map(async ({ name, hash, command }) => {
      await run(process.execPath, command);
      writeFileSync(hashFile(name), hash);
    }),
  );
}

async function install(dev) {
  const lock = readLock(join(root, 'package-lock.json'));
  const { dependencies, devDependencies } = lock.packages[''];
  const all = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  const forStart = closure(lock, [...Object.keys(dependencies), ...BUILDER]);
  if (isInstalled(lock, dev ? closure(lock, all) : forStart, nodeModules)) return;
  console.log('Installing …');
  // An update keeps the development dependencies of a clone that has them.
  const paths = Object.keys(devDependencies).map((name) => `node_modules/${name}`);
  if (dev || paths.some((path) => !forStart.has(path) && existsSync(join(root, path)))) {
    await run('npm', CI);
  } else {
    await installOnly(forStart, lock);
  }
}

/**
 * Installs a part of the lock file. npm knows no groups of dependencies beyond development and production, so it is given
 * a smaller lock file, in a folder whose node_modules then moves to the root.
 */
async function installOnly(paths, lock) {
  const staging = join(dist, '.install');
  const only = ({ devDependencies, ...rest }) => ({
    ...rest,
    devDependencies: Object.fromEntries(BUILDER.map((name) => [name, devDependencies[name]])),
  });
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const writeJson = (name, value) => writeFileSync(join(staging, name), JSON.stringify(value));
  const packages = Object.fromEntries([...paths].map((path) => [path, lock.packages[path]]));
  writeJson('package.json', only(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))));
  writeJson('package-lock.json', { ...lock, packages: { '': only(lock.packages['']), ...packages } });
  // Where the registry is configured for this project alone.
  if (existsSync(join(root, '.npmrc'))) copyFileSync(join(root, '.npmrc'), join(staging, '.npmrc'));
  await run('npm', CI, staging);
  rmSync(nodeModules, { recursive: true, force: true });
  renameSync(join(staging, 'node_modules'), nodeModules);
  rmSync(staging, { recursive: true, force: true });
}

/** The builder's own scripts and the lock file are sources too: the bundle contains packages. */
function hashOf(sources) {
  const hash = createHash('sha256');
  const add = (path) => {
    const full = join(root, path);
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) add(join(path, name));
    } else {
      hash.update(`${path}\0`).update(readFileSync(full)).update('\0');
    }
  };
  for (const path of ['package-lock.json', join('scripts', 'build'), ...sources]) add(path);
  return hash.digest('hex');
}

function isOutdated({ name, hash, output }) {
  return !existsSync(output) || !existsSync(hashFile(name)) || readFileSync(hashFile(name), 'utf8') !== hash;
}

function hashFile(name) {
  return join(dist, `.${name}.sha256`);
}

/** Runs a command to its end; this process ends with its status if it fails. */
async function run(command, parameters, cwd = root) {
  const child = spawn(command, parameters, {
    cwd,
    // A test runs this with NODE_ENV=test, which would bundle the development build of React.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: 'inherit',
    // On Windows npm is a batch file.
    shell: command === 'npm' && process.platform === 'win32',
  });
  const status = await new Promise((resolve) => {
    child.once('error', ({ message }) => {
      console.error(message);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
  if (status !== 0) process.exit(status);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await prepare({ dev: process.argv.includes('--dev') });
}
