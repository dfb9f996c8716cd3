import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorBody } from '../../src/contract/errors.js';
import { PASSWORD } from '../support/hub.js';
import { exchange, RawLine } from '../support/raw.line.js';
import { type Knock, knocksOf, type Outcome } from './handshake.table.js';
import { isEcho } from './judge.js';
import { Speaker } from './speaker.js';
import { Stage } from './stage.js';
import { CANARY } from './values.js';

const ANSWERED_WITHIN_MS = 2_000;
/** A line on which nobody says who they are is cut after five seconds. */
const SILENT_WITHIN_MS = 7_000;
const KNOCKS_MIN = 70;
const AT_A_TIME = 32;

let stage: Stage;
let victim: Speaker;
let silent: RawLine;
let knocks: Knock[];

/** What became of a knock, and whether anything of it came back. */
interface Reception {
  outcome: Outcome | Error;
  echo: boolean;
}

function knock(each: Knock): Promise<Reception> {
  const isRequest = each.expects === 'refused' || each.expects === 'over';
  return (isRequest ? request(each) : openLine(each)).catch((error: Error) => ({ outcome: error, echo: false }));
}

async function request({ head, expects }: Knock): Promise<Reception> {
  const { text, closed } = await exchange(stage.url, head, {
    withinMs: ANSWERED_WITHIN_MS,
    enough: (heard) => heard.includes('\r\n\r\n'),
  });
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
  const isRefused = status >= 400 || (closed && status === 0);
  const isOver = closed || status > 0;
  const outcome = expects === 'over' && isOver ? 'over' : isRefused ? 'refused' : isOver ? 'admitted' : 'silence';
  return { outcome, echo: text.includes(CANARY) };
}

async function openLine({ head, frames }: Knock): Promise<Reception> {
  const line = await RawLine.open(stage.url, head.toString());
  const said = new Promise<Reception>((resolve) => {
    line.onText = (text) => {
      if (text.startsWith('40')) resolve({ outcome: 'admitted', echo: false });
      if (!text.startsWith('44')) return;
      const { message, data } = JSON.parse(text.slice(2)) as { message: Outcome; data: ErrorBody };
      resolve({ outcome: message, echo: isEcho(data) });
    };
  });
  line.write(Buffer.concat(frames));
  const cut = line.closed.then((): Reception => ({ outcome: 'cut', echo: false }));
  const reception = await Promise.race([said, cut, later<Reception>({ outcome: 'silence', echo: false })]);
  line.hangUp();
  return reception;
}

function later<T>(value: T, ms = ANSWERED_WITHIN_MS): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, ms, value).unref());
}

async function isLive(): Promise<boolean> {
  const answer = fetch(`${stage.url}/health/live`).then(({ status }) => status === 200);
  return Promise.race([answer, later(false)]);
}

beforeAll(async () => {
  stage = await Stage.set();
  const { hub, scene } = stage;
  const [out, other, gone] = [
    await hub.register('logged-out'),
    await hub.register('other-password'),
    await hub.register('has-left'),
  ];
  await out.post('/auth/logout');
  const { body } = await other.post<{ token: string }>('/auth/login', { userId: other.userId, password: PASSWORD });
  await hub
    .person(other.userId, body.token)
    .post('/auth/password', { oldPassword: PASSWORD, newPassword: `${PASSWORD}!` });
  await gone.post('/auth/unregister', { password: PASSWORD });
  silent = await RawLine.open(stage.url);
  victim = await Speaker.connect(stage.url, scene.people.stranger.token);
  knocks = knocksOf({
    ...scene.people.buyer,
    ended: [out.token, other.token, gone.token],
    sid: victim.sid,
    origin: stage.url,
  });
}, 60_000);
afterAll(async () => {
  expect(await stage.strike()).toBe(0);
});

describe('the door', () => {
  test('gives every strange handshake what is due to it, within two seconds, and echoes none', async () => {
    const before = await stage.fingerprint();
    const faults: string[] = [];
    for (let next = 0; next < knocks.length; next += AT_A_TIME) {
      await Promise.all(
        knocks.slice(next, next + AT_A_TIME).map(async (each) => {
          const { outcome, echo } = await knock(each);
          if (outcome !== each.expects) faults.push(`${each.says}: ${outcome} instead of ${each.expects}`);
          if (echo) faults.push(`${each.says} was echoed`);
        }),
      );
    }
    expect(faults).toEqual([]);
    expect(await stage.fingerprint()).toBe(before);
  });

  test(`was knocked at in ${KNOCKS_MIN} ways at least`, () => {
    expect(knocks.length).toBeGreaterThanOrEqual(KNOCKS_MIN);
  });

  test("left somebody else's line alone", async () => {
    expect(victim.isClosed).toBe(false);
    const id = victim.say('["order:list",{"role":"buyer"}]');
    expect(await victim.once(id, ANSWERED_WITHIN_MS)).toBe(true);
  });

  test('stays open while a thousand come and say nothing, and one speaks a letter at a time', async () => {
    const { hostname, port } = new URL(stage.url);
    const crowd: Socket[] = Array.from({ length: 1_000 }, () => connect(Number(port), hostname).on('error', () => {}));
    const slow = connect(Number(port), hostname).on('error', () => {});
    for (const letter of 'GET / H') slow.write(letter);
    expect(await isLive()).toBe(true);
    for (const socket of [...crowd, slow]) socket.destroy();
  });

  test('shows out whoever does not say who they are', async () => {
    const outcome = await Promise.race([silent.closed.then(() => 'cut'), later('silence', SILENT_WITHIN_MS)]);
    expect(outcome).toBe('cut');
  });

  test('has logged neither a fault nor what it was sent, and holds nothing back', async () => {
    expect(stage.hub.hasEnded).toBe(false);
    expect(stage.hub.complaints).not.toMatch(/"level":[56]0/);
    expect(stage.hub.complaints).not.toContain(CANARY);
    expect(stage.hub.complaints).not.toContain(stage.scene.people.buyer.token);
    victim.hangUp();
    await stage.comesToRest();
  });
});
