import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { type Found, Gunner } from './gunner.js';
import { messageRows } from './rows.js';
import { Stage } from './stage.js';

/** The quick form; `npm run fuzz` asks for more, and for a course of its own. */
const FRAMES = Number(process.env.FUZZ_FRAMES ?? 20_000);
const SEED = Number(process.env.FUZZ_SEED ?? 1 + Math.floor(Math.random() * 999_999));
const REPORT = process.env.FUZZ_REPORT;
const FUZZ_WITHIN_MS = 60_000 + FRAMES * 5;
const CORPUS = join('test', 'input', 'corpus');

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set(messageRows);
}, 60_000);
afterAll(() => stage.strike());

/** What was found is kept, and thrown again by every run from then on. */
function keep(found: Found[]): void {
  mkdirSync(CORPUS, { recursive: true });
  for (const each of found.slice(0, 20)) {
    const text = `${JSON.stringify(each, null, 2)}\n`;
    writeFileSync(join(CORPUS, `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`), text);
  }
}

test.each(readdirSync(CORPUS))('what was once found is dealt with: %s', async (file) => {
  const { shot } = JSON.parse(readFileSync(join(CORPUS, file), 'utf8')) as Found;
  expect(await new Gunner(stage, 1).again(shot)).toEqual([]);
  expect(stage.hub.hasEnded).toBe(false);
});

test(
  'whatever is thrown at it, the hub answers or cuts the line, and runs on',
  async () => {
    const gunner = new Gunner(stage, SEED);
    const fired = await gunner.fire(FRAMES);
    keep(gunner.found);
    const exits = stage.hub.hasEnded ? 1 : 0;
    if (exits === 0 && REPORT) {
      const [before, grown] = [stage.megabytesAtRest, await stage.comesToRest()];
      const problems = `${gunner.found.length} unanswered or answered badly, ${gunner.late} late`;
      const memory = `${before} MB before and ${before + grown} MB after`;
      appendFileSync(REPORT, `Seed ${SEED}: ${fired} frames and requests, ${exits} exits, ${problems}, ${memory}\n`);
    }
    expect({ seed: SEED, exits, found: gunner.found.slice(0, 5) }).toEqual({ seed: SEED, exits: 0, found: [] });
    expect(fired).toBeGreaterThanOrEqual(FRAMES);
  },
  FUZZ_WITHIN_MS,
);

test('the books balance, and the hub has logged no fault', async () => {
  expect(await audit({ rows: (sql, parameters) => stage.reader.rows(sql, parameters) })).toEqual([]);
  expect(stage.hub.complaints).not.toMatch(/"level":[56]0/);
});
