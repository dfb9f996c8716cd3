import process from 'node:process';
import { jest } from '@jest/globals';

/** The limit of any test. */
const TEST_MS = 90_000;
/** A round of the slowest race on a busy machine. */
const ROUND_MS = 800;

/** How often the races of a file are run: `ROUNDS=1000` is the long form of all. Their tests get the time for it. */
export function raceRounds(usual: number): number {
  const rounds = Number(process.env.ROUNDS ?? usual);
  jest.setTimeout(TEST_MS + rounds * ROUND_MS);
  return rounds;
}
