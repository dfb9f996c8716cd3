import { appendFileSync } from 'node:fs';
import process from 'node:process';
import { seeded } from './crowd.js';
import { ServerProcess } from './server.process.js';

const { CHAOS_SEED, CHAOS_SECONDS, CHAOS_LONG, CHAOS_REPORT, CHAOS_SERVER } = process.env;

/**
 * What decides which fault comes next, and when. The same seed gives the same choices; what they meet is up to the machine.
 */
export const seed = Number(CHAOS_SEED ?? 1);
/** For so long a scenario goes on that has no end of its own. */
export const seconds = Number(CHAOS_SECONDS ?? 12);

/** How often, or for how long: as much as a check of every change can bear, or as much as a proof needs. */
export function sized(quick: number, long: number): number {
  return CHAOS_LONG ? long : quick;
}

/** A scenario that kills goes on until it has killed so often, however long it was given; and no longer than this. */
export const KILLS_MIN = sized(3, 100);
export const ENDS_WITHIN_MS = sized(180_000, 3_600_000);

/** Numbers from 0 to 1, the same ones for the seed of this run and a name. */
export function randomOf(name: string): () => number {
  return seeded([...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed));
}

/** The database server under test, which a scenario may kill. */
export function serverUnderTest(): ServerProcess {
  const [kind, folder, port] = (CHAOS_SERVER ?? '').split(' ');
  if ((kind !== 'mariadb' && kind !== 'mysql') || !folder) throw new Error('Run this with `npm run chaos`');
  return ServerProcess.attach(kind, folder, Number(port));
}

/** Says what a scenario has counted, now and at the end of the whole run. */
export function report(scenario: string, counts: Record<string, unknown>): void {
  const told = Object.entries(counts).map(
    ([what, count]) => `${what} ${typeof count === 'object' ? JSON.stringify(count) : count}`,
  );
  const line = `${scenario}: ${told.join(', ')}`;
  process.stdout.write(`${line}\n`);
  if (CHAOS_REPORT) appendFileSync(CHAOS_REPORT, `${line}\n`);
}
