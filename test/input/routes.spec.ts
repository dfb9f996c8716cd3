import { globalAgent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ErrorBody, refusals } from '../../src/contract/errors.js';
import { audit } from '../support/audit.js';
import { type RawAnswer, rawHttp } from '../support/raw.http.js';
import { wrongWith } from './judge.js';
import { type RouteCase, routeGroupsOf } from './routes.table.js';
import { type HttpRequest, httpOf, type Row, routeRows } from './rows.js';
import { Stage } from './stage.js';
import { CANARY } from './values.js';

const ANSWERED_WITHIN_MS = 2_000;
/** What Node itself keeps after thousands of messages, which it did not need before the first. */
const GROWTH_MEGABYTES_MAX = 150;
/** Checking a password takes the machine a while, and many wait for their turn. */
const HASHED_WITHIN_MS = 10_000;
const CASES_MIN = 5_000;
/** No more than a few people would: each has its two seconds. */
const AT_A_TIME = 12;

let stage: Stage;
let counted = 0;

async function ask(
  { method, path, headers, body }: HttpRequest,
  token: string,
  withinMs: number,
): Promise<RawAnswer | undefined> {
  const all = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers };
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, withinMs, undefined).unref());
  return Promise.race([late, rawHttp(stage, method, path, { headers: all, ...(body === undefined ? {} : { body }) })]);
}

/** What is wrong with an answer over HTTP: told as the acknowledgement would be, and with the status of its code. */
function wrongWithHttp(
  row: Row,
  { expects }: Pick<RouteCase, 'expects'>,
  answer: RawAnswer | undefined,
): string | undefined {
  if (!answer) return 'was not answered';
  const { status, type, text } = answer;
  const content: unknown = type.includes('json') ? JSON.parse(text) : text === '' ? undefined : text;
  if (status < 400) {
    const due = row.route?.status ?? 200;
    return status === due ? wrongWith(row, { expects }, [{ ok: true, data: content }]) : `was answered with ${status}`;
  }
  const { error } = (content ?? {}) as { error?: ErrorBody };
  const fault = wrongWith(row, { expects }, [{ ok: false, error }]);
  if (fault || !error) return fault ?? `was answered with ${status} and nothing`;
  return status === refusals[error.code].status ? undefined : `was refused with ${status} and ${error.code}`;
}

async function faultsOf(row: Row, cases: RouteCase[], withinMs = ANSWERED_WITHIN_MS): Promise<string[]> {
  counted += cases.length;
  const own = stage.actorOf(row).token;
  const faults: string[] = [];
  for (let next = 0; next < cases.length; next += AT_A_TIME) {
    await Promise.all(
      cases.slice(next, next + AT_A_TIME).map(async (each) => {
        const answer = await ask(each.request, each.token ?? own, withinMs);
        const fault = wrongWithHttp(row, each, answer);
        if (fault !== undefined) faults.push(`${each.says} ${fault}`);
      }),
    );
  }
  return faults;
}

beforeAll(async () => {
  stage = await Stage.set(routeRows);
}, 60_000);
afterAll(async () => {
  expect(await stage.strike()).toBe(0);
});

describe.each(routeRows)('$name', (row) => {
  const groups = routeGroupsOf(row);

  test('refuses what it cannot take, whatever it is, and nothing has changed', async () => {
    const before = await stage.fingerprint();
    const faults: string[] = [];
    for (const { name, cases } of groups.filter(({ takesEffect }) => !takesEffect)) {
      const found = await faultsOf(row, cases(stage));
      faults.push(...found.map((fault) => `${name}: ${fault}`));
    }
    expect(faults).toEqual([]);
    expect(await stage.fingerprint()).toBe(before);
  });

  test('takes the request that all of this was made from', async () => {
    const { route } = row;
    const request = route && httpOf(route, stage.validFor(row));
    const answer = request && (await ask(request, stage.actorOf(row).token, HASHED_WITHIN_MS));
    expect(answer?.status).toBe(route?.status ?? 200);
  });

  test('answers what is strange and yet taken', async () => {
    for (const { cases } of groups.filter(({ takesEffect }) => takesEffect)) {
      expect(await faultsOf(row, cases(stage), HASHED_WITHIN_MS)).toEqual([]);
    }
  });
});

describe('after all of this', () => {
  test(`${CASES_MIN} requests at least were made`, () => {
    expect(counted).toBeGreaterThanOrEqual(CASES_MIN);
  });

  test('the books balance', async () => {
    expect(await audit({ rows: (sql, parameters) => stage.reader.rows(sql, parameters) })).toEqual([]);
  });

  test('the hub holds nothing back', async () => {
    globalAgent.destroy();
    expect(await stage.comesToRest()).toBeLessThan(GROWTH_MEGABYTES_MAX);
  });

  test('the hub runs on, and has logged neither a fault nor what it was sent', () => {
    expect(stage.hub.hasEnded).toBe(false);
    expect(stage.hub.complaints).not.toMatch(/"level":[56]0/);
    expect(stage.hub.complaints).not.toContain(CANARY);
  });
});
