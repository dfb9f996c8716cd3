import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { type Case, groupsOf, invalidFramesOf } from './catalogue.js';
import { Fixture } from './fixture.js';
import { answerViolation } from './invariants.js';
import { RawClient } from './raw.client.js';
import { messageRows, type Row } from './rows.js';
import { CANARY, toJson } from './values.js';

const ANSWERED_WITHIN_MS = 2_000;
/** Memory that Node retains after thousands of messages. */
const GROWTH_MEGABYTES_MAX = 150;
/** The minimum size of the catalogue for these messages. */
const CASES_MIN: Record<string, number> = { 'order:place': 330, 'order:pay': 220, 'order:ship': 210 };

let fixture: Fixture;
const clients = new Map<string, Promise<RawClient>>();
const caseCounts = new Map<string, number>();

/** The shared socket of this token. */
function clientOf(token: string): Promise<RawClient> {
  const client = clients.get(token) ?? RawClient.connect(fixture.url, token);
  clients.set(token, client);
  return client;
}

/** The socket still works after all the bad input. */
async function expectStillAnswered(client: RawClient): Promise<void> {
  const id = client.send('["order:list",{"role":"buyer","limit":1}]');
  expect(await client.waitFor(id, ANSWERED_WITHIN_MS)).toBe(true);
  expect(client.answersTo(id)).toMatchObject([{ ok: true }]);
}

/** Sends all cases concurrently and returns the violations. */
async function violationsOf(row: Row, cases: Case[]): Promise<string[]> {
  caseCounts.set(row.name, (caseCounts.get(row.name) ?? 0) + cases.length);
  const sent = await Promise.all(cases.map((testCase) => sendCase(row, testCase)));
  const usedClients = new Set(sent.map(({ client }) => client));
  await Promise.all(
    sent.map(
      ({ client, ackId, testCase }) => testCase.expects === 'a push' || client.waitFor(ackId, ANSWERED_WITHIN_MS),
    ),
  );
  for (const client of usedClients) await expectStillAnswered(client);
  const violations = sent.flatMap(({ testCase, client, ackId }) => {
    const answers = testCase.expects === 'a push' ? pushedErrors(row, client) : client.answersTo(ackId);
    const violation = answerViolation(row, testCase, answers);
    return violation === undefined ? [] : [`${testCase.label} ${violation}`];
  });
  for (const { client, testCase } of sent) if (testCase.ack) client.destroy();
  for (const client of usedClients) client.clear();
  return violations;
}

async function sendCase(row: Row, testCase: Case) {
  const token = testCase.token ?? fixture.senderOf(row).token;
  // A custom acknowledgement id could collide with another message's, so it needs its own connection.
  const client = await (testCase.ack ? RawClient.connect(fixture.url, token) : clientOf(token));
  const attachments: Buffer[] = [];
  const args = toJson([testCase.name ?? row.name, ...testCase.args], attachments);
  const id = testCase.expects === 'a push' ? '' : (testCase.ack?.sent ?? client.nextId());
  const type = attachments.length === 0 ? '42' : `45${attachments.length}-`;
  for (let n = testCase.ack?.count ?? 1; n > 0; n--) client.socket.send(`${type}${id}${args}`, ...attachments);
  return { testCase, client, ackId: testCase.ack?.parsed ?? id };
}

/** Pushed errors in the shape of answers. */
function pushedErrors({ name }: Row, { pushes }: RawClient): unknown[] {
  return pushes.flatMap((push) => {
    const { message, error } = push.payload as { message: string; error: unknown };
    return push.name === 'order:error' && message === name ? [{ ok: false, error }] : [];
  });
}

beforeAll(async () => {
  fixture = await Fixture.create(messageRows);
}, 60_000);
afterAll(async () => {
  expect(await fixture.close()).toBe(0);
});

describe.each(messageRows)('$name', (row) => {
  const [accepted, rejected] = [
    groupsOf(row).filter(({ takesEffect }) => takesEffect),
    groupsOf(row).filter(({ takesEffect }) => !takesEffect),
  ];

  test.each(rejected)('refuses input $name without any effect', async ({ cases }) => {
    const before = await fixture.fingerprint();
    expect(await violationsOf(row, cases(fixture))).toEqual([]);
    expect(await fixture.fingerprint()).toBe(before);
  });

  test('cuts the connection on invalid frames, without any effect', async () => {
    const before = await fixture.fingerprint();
    const frames = invalidFramesOf(row, fixture);
    const { token } = fixture.senderOf(row);
    const violations = await Promise.all(
      frames.map(async ({ label, frames: bytes }) => {
        const client = await RawClient.connect(fixture.url, token);
        client.socket.send(...bytes);
        const late = new Promise<'late'>((resolve) => setTimeout(resolve, ANSWERED_WITHIN_MS, 'late').unref());
        const outcome = await Promise.race([client.closed, late]);
        client.destroy();
        const echo = JSON.stringify(client.pushes).includes(CANARY);
        return outcome === 'late' || echo || client.answersTo('1').length > 0 ? [label] : [];
      }),
    );
    caseCounts.set(row.name, (caseCounts.get(row.name) ?? 0) + frames.length);
    expect(violations.flat()).toEqual([]);
    expect(await fixture.fingerprint()).toBe(before);
  });

  test('accepts the valid message that all cases derive from', async () => {
    const client = await clientOf(fixture.senderOf(row).token);
    const id = client.send(toJson([row.name, fixture.validFor(row)]));
    await client.waitFor(id, ANSWERED_WITHIN_MS);
    expect(client.answersTo(id)).toMatchObject([{ ok: true }]);
  });

  test.each(accepted)('answers input $name', async ({ cases }) => {
    expect(await violationsOf(row, cases(fixture))).toEqual([]);
  });
});

describe('after all cases', () => {
  test.each(Object.entries(CASES_MIN))('%s received at least %i cases', (name, min) => {
    expect(caseCounts.get(name)).toBeGreaterThanOrEqual(min);
  });

  test('the database is consistent', async () => {
    expect(await audit({ rows: (sql, parameters) => fixture.reader.rows(sql, parameters) })).toEqual([]);
  });

  test('the hub releases its resources', async () => {
    for (const client of clients.values()) (await client).destroy();
    expect(await fixture.settle()).toBeLessThan(GROWTH_MEGABYTES_MAX);
  });

  test('the hub still runs, and has logged neither errors nor input', () => {
    expect(fixture.hub.hasEnded).toBe(false);
    expect(fixture.hub.complaints).not.toMatch(/"level":[56]0/);
    expect(fixture.hub.complaints).not.toContain(CANARY);
  });
});
