import { appendFileSync } from 'node:fs';
import process from 'node:process';
import { seeded } from './client.pool.js';
import { ServerProcess } from './server.process.js';

const { CHAOS_SEED, CHAOS_SECONDS, CHAOS_LONG, CHAOS_REPORT, CHAOS_SERVER } = process.env;

/** Seeds the choice of faults and their timing. What those faults hit still depends on the machine. */
export const seed = Number(CHAOS_SEED ?? 1);
/** Duration of an open-ended scenario. */
export const seconds = Number(CHAOS_SECONDS ?? 12);

/** A scenario's size: small in the check of every change, large with CHAOS_LONG. */
export function sized(quick: number, long: number): number {
  return CHAOS_LONG ? long : quick;
}

/** A kill scenario continues past its duration until it has reached this many kills, within a hard limit. */
export const KILLS_MIN = sized(3, 100);
export const ENDS_WITHIN_MS = sized(180_000, 3_600_000);

/** A random generator in [0, 1), deterministic for this run's seed and a name. */
export function randomOf(name: string): () => number {
  return seeded([...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed));
}

/** The database server under test, which a scenario may kill. */
export function serverUnderTest(): ServerProcess {
  const [kind, folder, port] = (CHAOS_SERVER ?? '').split(' ');
  if ((kind !== 'mariadb' && kind !== 'mysql') || !folder) throw new Error('Run this with `npm run chaos`');
  return ServerProcess.attach(kind, folder, Number(port));
}

/** Prints a scenario's counts, and appends them to the report of the whole run. */
export function report(scenario: string, counts: Record<string, unknown>): void {
  const entries = Object.entries(counts).map(
    ([what, count]) => `${what} ${typeof count === 'object' ? JSON.stringify(count) : count}`,
  );
  const line = `${scenario}: ${entries.join(', ')}`;
  process.stdout.write(`${line}\n`);
  if (CHAOS_REPORT) appendFileSync(CHAOS_REPORT, `${line}\n`);
}
