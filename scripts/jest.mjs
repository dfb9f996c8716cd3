import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';

/** Node's parameters that run Jest with ES modules. */
export const JEST = [
  ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  join('node_modules', 'jest', 'bin', 'jest.js'),
];

/** Runs Jest to its end and returns its exit status. */
export function runJest(parameters, env = process.env) {
  return spawnSync(process.execPath, [...JEST, ...parameters], { stdio: 'inherit', env }).status ?? 1;
}
