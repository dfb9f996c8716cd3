import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { type Case, cutsOf, groupsOf } from './catalogue.js';
import { wrongWith } from './judge.js';
import { messageRows, type Row } from './rows.js';
import { Speaker } from './speaker.js';
import { Stage } from './stage.js';
import { CANARY, written } from './values.js';

const ANSWERED_WITHIN_MS = 2_000;
/** What Node itself keeps after thousands of messages, which it did not need before the first. */
const GROWTH_MEGABYTES_MAX = 150;
/** What the catalogue must at least come to, for these. */
const CASES_MIN: Record<string, number> = { 'order:place': 330, 'order:pay': 220, 'order:ship': 210 };

let stage: Stage;
const speakers = new Map<string, Promise<Speaker>>();
const counted = new Map<string, number>();

/** The one socket on which this token speaks. */
function speakerOf(token: string): Promise<Speaker> {
  const speaker = speakers.get(token) ?? Speaker.connect(stage.url, token);
  speakers.set(token, speaker);
  return speaker;
}

/** A message that anybody may send is answered with a yes: nothing that came before it on this socket did harm. */
async function isStillHeard(speaker: Speaker): Promise<void> {
  const id = speaker.say('["order:list",{"role":"buyer","limit":1}]');
  expect(await speaker.once(id, ANSWERED_WITHIN_MS)).toBe(true);
  expect(speaker.said(id)).toMatchObject([{ ok: true }]);
}

/** Says all of it at once, and gives what was not answered as it must be. */
async function faultsOf(row: Row, cases: Case[]): Promise<string[]> {
  counted.set(row.name, (counted.get(row.name) ?? 0) + cases.length);
  const spoken = await Promise.all(cases.map((each) => speak(row, each)));
  const used = new Set(spoken.map(({ speaker }) => speaker));
  await Promise.all(
    spoken.map(({ speaker, heard, each }) => each.expects === 'a push' || speaker.once(heard, ANSWERED_WITHIN_MS)),
  );
  for (const speaker of used) await isStillHeard(speaker);
  const faults = spoken.flatMap(({ each, speaker, heard }) => {
    const answers = each.expects === 'a push' ? pushed(row, speaker) : speaker.said(heard);
    const fault = wrongWith(row, each, answers);
    return fault === undefined ? [] : [`${each.says} ${fault}`];
  });
  for (const { speaker, each } of spoken) if (each.numbered) speaker.hangUp();
  for (const speaker of used) speaker.forget();
  return faults;
}

async function speak(row: Row, each: Case) {
  const token = each.token ?? stage.actorOf(row).token;
  // A number of one's own choosing could be that of another message.
  const speaker = await (each.numbered ? Speaker.connect(stage.url, token) : speakerOf(token));
  const attachments: Buffer[] = [];
  const args = written([each.name ?? row.name, ...each.args], attachments);
  const sent = each.expects === 'a push' ? '' : (each.numbered?.sent ?? speaker.nextId());
  const type = attachments.length === 0 ? '42' : `45${attachments.length}-`;
  for (let n = each.numbered?.answers ?? 1; n > 0; n--) speaker.line.send(`${type}${sent}${args}`, ...attachments);
  return { each, speaker, heard: each.numbered?.heard ?? sent };
}

/** The failures that were pushed, in the shape of an answer. */
function pushed({ name }: Row, { pushes }: Speaker): unknown[] {
  return pushes.flatMap((push) => {
    const { message, error } = push.payload as { message: string; error: unknown };
    return push.name === 'order:error' && message === name ? [{ ok: false, error }] : [];
  });
}

beforeAll(async () => {
  stage = await Stage.set(messageRows);
}, 60_000);
afterAll(async () => {
  expect(await stage.strike()).toBe(0);
});

describe.each(messageRows)('$name', (row) => {
  const [effective, harmless] = [
    groupsOf(row).filter(({ takesEffect }) => takesEffect),
    groupsOf(row).filter(({ takesEffect }) => !takesEffect),
  ];

  test.each(harmless)('refuses what it is sent $name, and nothing has changed', async ({ cases }) => {
    const before = await stage.fingerprint();
    expect(await faultsOf(row, cases(stage))).toEqual([]);
    expect(await stage.fingerprint()).toBe(before);
  });

  test('has its line cut by frames that are no messages, and nothing has changed', async () => {
    const before = await stage.fingerprint();
    const cuts = cutsOf(row, stage);
    const { token } = stage.actorOf(row);
    const faults = await Promise.all(
      cuts.map(async ({ says, frames }) => {
        const speaker = await Speaker.connect(stage.url, token);
        speaker.line.send(...frames);
        const late = new Promise<'late'>((resolve) => setTimeout(resolve, ANSWERED_WITHIN_MS, 'late').unref());
        const outcome = await Promise.race([speaker.closed, late]);
        speaker.hangUp();
        const echo = JSON.stringify(speaker.pushes).includes(CANARY);
        return outcome === 'late' || echo || speaker.said('1').length > 0 ? [says] : [];
      }),
    );
    counted.set(row.name, (counted.get(row.name) ?? 0) + cuts.length);
    expect(faults.flat()).toEqual([]);
    expect(await stage.fingerprint()).toBe(before);
  });

  test('takes the message that all of this was made from', async () => {
    const speaker = await speakerOf(stage.actorOf(row).token);
    const id = speaker.say(written([row.name, stage.validFor(row)]));
    await speaker.once(id, ANSWERED_WITHIN_MS);
    expect(speaker.said(id)).toMatchObject([{ ok: true }]);
  });

  test.each(effective)('answers what it is sent $name', async ({ cases }) => {
    expect(await faultsOf(row, cases(stage))).toEqual([]);
  });
});

describe('after all of this', () => {
  test.each(Object.entries(CASES_MIN))('%s was sent %i cases at least', (name, min) => {
    expect(counted.get(name)).toBeGreaterThanOrEqual(min);
  });

  test('the books balance', async () => {
    expect(await audit({ rows: (sql, parameters) => stage.reader.rows(sql, parameters) })).toEqual([]);
  });

  test('the hub holds nothing back', async () => {
    for (const speaker of speakers.values()) (await speaker).hangUp();
    expect(await stage.comesToRest()).toBeLessThan(GROWTH_MEGABYTES_MAX);
  });

  test('the hub runs on, and has logged neither a fault nor what it was sent', () => {
    expect(stage.hub.hasEnded).toBe(false);
    expect(stage.hub.complaints).not.toMatch(/"level":[56]0/);
    expect(stage.hub.complaints).not.toContain(CANARY);
  });
});
