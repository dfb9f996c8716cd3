import { setTimeout as sleep } from 'node:timers/promises';

/** So few rows at a time that whoever waits for one of them, or for its turn to write, does not notice. */
const STEP_ROWS = 500;
export const FORGET_PAUSE_MS = 20;

/** Deletes rows whose time is over in small steps, with pauses. A step is told how many it may delete, and gives how many it has. */
export async function forgetInSteps(step: (rowsMax: number) => Promise<number>, isOver = () => false): Promise<number> {
  for (let total = 0; ; ) {
    const deleted = await step(STEP_ROWS);
    total += deleted;
    if (deleted < STEP_ROWS || isOver()) return total;
    await sleep(FORGET_PAUSE_MS);
  }
}
