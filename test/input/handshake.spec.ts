import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorBody } from '../../src/contract/errors.js';
import { PASSWORD } from '../support/hub.js';
import { exchange, RawLine } from '../support/raw.line.js';
import { Fixture } from './fixture.js';
import { type HandshakeCase, handshakeCases, type Outcome } from './handshake.table.js';
import { isEcho } from './invariants.js';
import { RawClient } from './raw.client.js';
import { CANARY } from './values.js';

const ANSWERED_WITHIN_MS = 2_000;
/** A connection without a handshake is cut after five seconds. */
const IDLE_CUT_WITHIN_MS = 7_000;
const CASES_MIN = 70;
const CONCURRENCY = 32;

let fixture: Fixture;
let victim: RawClient;
let idle: RawLine;
let cases: HandshakeCase[];

/** The outcome of a handshake, and whether its input was echoed. */
interface Result {
  outcome: Outcome | Error;
  echo: boolean;
}

function attempt(testCase: HandshakeCase): Promise<Result> {
  const isRequest = testCase.expects === 'refused' || testCase.expects === 'answered or cut';
  return (isRequest ? request(testCase) : openSocket(testCase)).catch((error: Error) => ({
    outcome: error,
    echo: false,
  }));
}

async function request({ head, expects }: HandshakeCase): Promise<Result> {
  const { text, closed } = await exchange(fixture.url, head, {
    withinMs: ANSWERED_WITHIN_MS,
    enough: (received) => received.includes('\r\n\r\n'),
  });
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
  const isRefused = status >= 400 || (closed && status === 0);
  const isAnswered = closed || status > 0;
  const outcome =
    expects === 'answered or cut' && isAnswered
      ? 'answered or cut'
      : isRefused
        ? 'refused'
        : isAnswered
          ? 'admitted'
          : 'no answer';
  return { outcome, echo: text.includes(CANARY) };
}

async function openSocket({ head, frames }: HandshakeCase): Promise<Result> {
  const socket = await RawLine.open(fixture.url, head.toString());
  const answered = new Promise<Result>((resolve) => {
    socket.onText = (text) => {
      if (text.startsWith('40')) resolve({ outcome: 'admitted', echo: false });
      if (!text.startsWith('44')) return;
      const { message, data } = JSON.parse(text.slice(2)) as { message: Outcome; data: ErrorBody };
      resolve({ outcome: message, echo: isEcho(data) });
    };
  });
  socket.write(Buffer.concat(frames));
  const cut = socket.closed.then((): Result => ({ outcome: 'cut', echo: false }));
  const result = await Promise.race([answered, cut, after<Result>({ outcome: 'no answer', echo: false })]);
  socket.destroy();
  return result;
}

function after<T>(value: T, ms = ANSWERED_WITHIN_MS): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, ms, value).unref());
}

async function isHealthy(): Promise<boolean> {
  const answer = fetch(`${fixture.url}/health/live`).then(({ status }) => status === 200);
  return Promise.race([answer, after(false)]);
}

beforeAll(async () => {
  fixture = await Fixture.create();
  const { hub, data } = fixture;
  const [loggedOut, changedPassword, unregistered] = [
    await hub.register('logged-out'),
    await hub.register('other-password'),
    await hub.register('has-left'),
  ];
  await loggedOut.post('/auth/logout');
  const { body } = await changedPassword.post<{ token: string }>('/auth/login', {
    userId: changedPassword.userId,
    password: PASSWORD,
  });
  await hub
    .person(changedPassword.userId, body.token)
    .post('/auth/password', { oldPassword: PASSWORD, newPassword: `${PASSWORD}!` });
  await unregistered.post('/auth/unregister', { password: PASSWORD });
  idle = await RawLine.open(fixture.url);
  victim = await RawClient.connect(fixture.url, data.people.stranger.token);
  cases = handshakeCases({
    ...data.people.buyer,
    ended: [loggedOut.token, changedPassword.token, unregistered.token],
    sid: victim.sid,
    origin: fixture.url,
  });
}, 60_000);
afterAll(async () => {
  expect(await fixture.close()).toBe(0);
});

describe('the handshake', () => {
  test('answers every invalid attempt as expected within two seconds, without an echo', async () => {
    const before = await fixture.fingerprint();
    const violations: string[] = [];
    for (let next = 0; next < cases.length; next += CONCURRENCY) {
      await Promise.all(
        cases.slice(next, next + CONCURRENCY).map(async (testCase) => {
          const { outcome, echo } = await attempt(testCase);
          if (outcome !== testCase.expects)
            violations.push(`${testCase.label}: ${outcome} instead of ${testCase.expects}`);
          if (echo) violations.push(`${testCase.label} was echoed`);
        }),
      );
    }
    expect(violations).toEqual([]);
    expect(await fixture.fingerprint()).toBe(before);
  });

  test(`is tried with at least ${CASES_MIN} cases`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(CASES_MIN);
  });

  test("leaves another user's connection alone", async () => {
    expect(victim.isClosed).toBe(false);
    const id = victim.send('["order:list",{"role":"buyer"}]');
    expect(await victim.waitFor(id, ANSWERED_WITHIN_MS)).toBe(true);
  });

  test('stays available during a thousand idle connections and a slow request', async () => {
    const { hostname, port } = new URL(fixture.url);
    const sockets: Socket[] = Array.from({ length: 1_000 }, () =>
      connect(Number(port), hostname).on('error', () => {}),
    );
    const slow = connect(Number(port), hostname).on('error', () => {});
    for (const letter of 'GET / H') slow.write(letter);
    expect(await isHealthy()).toBe(true);
    for (const socket of [...sockets, slow]) socket.destroy();
  });

  test('cuts a connection that never authenticates', async () => {
    const outcome = await Promise.race([idle.closed.then(() => 'cut'), after('no answer', IDLE_CUT_WITHIN_MS)]);
    expect(outcome).toBe('cut');
  });

  test('logs neither errors nor input, and releases its resources', async () => {
    expect(fixture.hub.hasEnded).toBe(false);
    expect(fixture.hub.complaints).not.toMatch(/"level":[56]0/);
    expect(fixture.hub.complaints).not.toContain(CANARY);
    expect(fixture.hub.complaints).not.toContain(fixture.data.people.buyer.token);
    victim.destroy();
    await fixture.settle();
  });
});
