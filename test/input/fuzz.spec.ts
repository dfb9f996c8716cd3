import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { Fixture } from './fixture.js';
import { type Finding, Fuzzer } from './fuzzer.js';
import { messageRows } from './rows.js';

/** The short form; `npm run fuzz` sets a larger number and a seed. */
const FRAMES = Number(process.env.FUZZ_FRAMES ?? 20_000);
const SEED = Number(process.env.FUZZ_SEED ?? 1 + Math.floor(Math.random() * 999_999));
const REPORT = process.env.FUZZ_REPORT;
const FUZZ_WITHIN_MS = 60_000 + FRAMES * 5;
const CORPUS = join('test', 'input', 'corpus');

let fixture: Fixture;
beforeAll(async () => {
  fixture = await Fixture.create(messageRows);
}, 60_000);
afterAll(() => fixture.close());

/** Stores findings in the corpus, which every later run replays. */
function store(findings: Finding[]): void {
  mkdirSync(CORPUS, { recursive: true });
  for (const finding of findings.slice(0, 20)) {
    const text = `${JSON.stringify(finding, null, 2)}\n`;
    writeFileSync(join(CORPUS, `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`), text);
  }
}

test.each(readdirSync(CORPUS))('handles the stored input %s', async (file) => {
  const { input } = JSON.parse(readFileSync(join(CORPUS, file), 'utf8')) as Finding;
  expect(await new Fuzzer(fixture, 1).replay(input)).toEqual([]);
  expect(fixture.hub.hasEnded).toBe(false);
});

test(
  'answers every generated input or cuts the connection, and keeps running',
  async () => {
    const fuzzer = new Fuzzer(fixture, SEED);
    const sent = await fuzzer.run(FRAMES);
    store(fuzzer.findings);
    const exits = fixture.hub.hasEnded ? 1 : 0;
    if (exits === 0 && REPORT) {
      const [before, grown] = [fixture.baselineMegabytes, await fixture.settle()];
      const problems = `${fuzzer.findings.length} unanswered or answered incorrectly, ${fuzzer.late} late`;
      const memory = `${before} MB before and ${before + grown} MB after`;
      appendFileSync(REPORT, `Seed ${SEED}: ${sent} frames and requests, ${exits} exits, ${problems}, ${memory}\n`);
    }
    expect({ seed: SEED, exits, findings: fuzzer.findings.slice(0, 5) }).toEqual({
      seed: SEED,
      exits: 0,
      findings: [],
    });
    expect(sent).toBeGreaterThanOrEqual(FRAMES);
  },
  FUZZ_WITHIN_MS,
);

test('keeps the database consistent and logs no errors', async () => {
  expect(await audit({ rows: (sql, parameters) => fixture.reader.rows(sql, parameters) })).toEqual([]);
  expect(fixture.hub.complaints).not.toMatch(/"level":[56]0/);
});
