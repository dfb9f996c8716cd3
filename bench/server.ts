import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FIRST_PORT = 20_000;
const PORTS = 12_000;

/** Starts a database server of the benchmark's own. The embedded database needs none. */
export function startServer(database: string): { url: string; stop(): void } | undefined {
  if (database === 'sqlite') return undefined;
  const script = join('scripts', 'servers', database);
  const folder = mkdtempSync(join(tmpdir(), 'order-hub-bench-'));
  const port = String(FIRST_PORT + Math.floor(Math.random() * PORTS));
  const run = (what: string) => spawnSync('bash', [script, what, folder, port], { stdio: 'inherit' }).status;
  if (run('start') !== 0) throw new Error(`${database} could not be started`);
  return {
    url: `mysql://hub:hub@127.0.0.1:${port}/orders`,
    stop() {
      run('stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
