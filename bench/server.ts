import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FIRST_PORT = 20_000;
const PORTS = 12_000;

/**
 * Sized for a million orders: a buffer pool that holds them, and a redo log that is not full every few seconds. Durability
 * stays at its default, which syncs every commit.
 */
const OPTIONS = {
  mariadb: ['--innodb-buffer-pool-size=2G', '--innodb-log-file-size=1G'],
  mysql: ['--innodb-buffer-pool-size=2G', '--innodb-redo-log-capacity=1G'],
} as Record<string, string[]>;

export interface Server {
  url: string;
  pid: number;
  stop(): void;
}

/** Starts a private database server on a random port; undefined for the embedded database. */
export function startServer(database: string): Server | undefined {
  if (database === 'sqlite') return undefined;
  const options = OPTIONS[database];
  if (!options) throw new Error(`Unknown database ${database}; known: sqlite, mariadb, mysql`);
  const script = join('scripts', 'servers', database);
  const folder = mkdtempSync(join(tmpdir(), 'order-hub-bench-'));
  const port = String(FIRST_PORT + Math.floor(Math.random() * PORTS));
  const run = (command: string, ...more: string[]) =>
    spawnSync('bash', [script, command, folder, port, ...more], { stdio: 'inherit' }).status;
  if (run('start', ...options) !== 0) throw new Error(`${database} failed to start`);
  return {
    url: `mysql://hub:hub@127.0.0.1:${port}/orders`,
    pid: Number(readFileSync(join(folder, 'pid'), 'utf8')),
    stop() {
      run('stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
