import { globalAgent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ErrorBody, errorTypes } from '../../src/contract/errors.js';
import { audit } from '../support/audit.js';
import { type RawAnswer, rawHttp } from '../support/raw.http.js';
import { Fixture } from './fixture.js';
import { answerViolation } from './invariants.js';
import { type RouteCase, routeGroupsOf } from './routes.table.js';
import { type HttpRequest, httpOf, type Row, routeRows } from './rows.js';
import { CANARY } from './values.js';

const ANSWERED_WITHIN_MS = 2_000;
/** Memory that Node retains after thousands of messages. */
const GROWTH_MEGABYTES_MAX = 150;
/** Password hashing is slow and queued. */
const HASHED_WITHIN_MS = 10_000;
const CASES_MIN = 5_000;
/** Few enough that each request can meet its timeout. */
const CONCURRENCY = 12;

let fixture: Fixture;
let caseCount = 0;

async function send(
  { method, path, headers, body }: HttpRequest,
  token: string,
  withinMs: number,
): Promise<RawAnswer | undefined> {
  const all = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers };
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, withinMs, undefined).unref());
  return Promise.race([
    late,
    rawHttp(fixture, method, path, { headers: all, ...(body === undefined ? {} : { body }) }),
  ]);
}

/** Checks an HTTP response as an acknowledgement, and its status. */
function httpViolation(
  row: Row,
  { expects }: Pick<RouteCase, 'expects'>,
  answer: RawAnswer | undefined,
): string | undefined {
  if (!answer) return 'was not answered';
  const { status, type, text } = answer;
  // An export may be empty; other empty answers hold no data.
  const isEmpty = text === '' && row.route?.mediaType === undefined;
  const content: unknown = type.startsWith('application/json') ? JSON.parse(text) : isEmpty ? undefined : text;
  if (status < 400) {
    const expectedStatus = row.route?.status ?? 200;
    return status === expectedStatus
      ? answerViolation(row, { expects }, [{ ok: true, data: content }])
      : `was answered with ${status}`;
  }
  const { error } = (content ?? {}) as { error?: ErrorBody };
  const violation = answerViolation(row, { expects }, [{ ok: false, error }]);
  if (violation || !error) return violation ?? `was answered with ${status} and no body`;
  return status === errorTypes[error.code].status ? undefined : `was refused with ${status} and ${error.code}`;
}

async function violationsOf(row: Row, cases: RouteCase[], withinMs = ANSWERED_WITHIN_MS): Promise<string[]> {
  caseCount += cases.length;
  const defaultToken = fixture.senderOf(row).token;
  const violations: string[] = [];
  for (let next = 0; next < cases.length; next += CONCURRENCY) {
    await Promise.all(
      cases.slice(next, next + CONCURRENCY).map(async (testCase) => {
        const answer = await send(testCase.request, testCase.token ?? defaultToken, withinMs);
        const violation = httpViolation(row, testCase, answer);
        if (violation !== undefined) violations.push(`${testCase.label} ${violation}`);
      }),
    );
  }
  return violations;
}

beforeAll(async () => {
  fixture = await Fixture.create(routeRows);
}, 60_000);
afterAll(async () => {
  expect(await fixture.close()).toBe(0);
});

describe.each(routeRows)('$name', (row) => {
  const groups = routeGroupsOf(row);

  test('refuses all invalid input without any effect', async () => {
    const before = await fixture.fingerprint();
    const violations: string[] = [];
    for (const { name, cases } of groups.filter(({ takesEffect }) => !takesEffect)) {
      const inGroup = await violationsOf(row, cases(fixture));
      violations.push(...inGroup.map((violation) => `${name}: ${violation}`));
    }
    expect(violations).toEqual([]);
    expect(await fixture.fingerprint()).toBe(before);
  });

  test('accepts the valid request that all cases derive from', async () => {
    const { route } = row;
    const request = route && httpOf(route, fixture.validFor(row));
    const answer = request && (await send(request, fixture.senderOf(row).token, HASHED_WITHIN_MS));
    expect(answer?.status).toBe(route?.status ?? 200);
  });

  test('answers unusual valid input', async () => {
    for (const { cases } of groups.filter(({ takesEffect }) => takesEffect)) {
      expect(await violationsOf(row, cases(fixture), HASHED_WITHIN_MS)).toEqual([]);
    }
  });
});

describe('after all cases', () => {
  test(`at least ${CASES_MIN} requests were sent`, () => {
    expect(caseCount).toBeGreaterThanOrEqual(CASES_MIN);
  });

  test('the database is consistent', async () => {
    expect(await audit({ rows: (sql, parameters) => fixture.reader.rows(sql, parameters) })).toEqual([]);
  });

  test('the hub releases its resources', async () => {
    globalAgent.destroy();
    expect(await fixture.settle()).toBeLessThan(GROWTH_MEGABYTES_MAX);
  });

  test('the hub still runs, and has logged neither errors nor input', () => {
    expect(fixture.hub.hasEnded).toBe(false);
    expect(fixture.hub.complaints).not.toMatch(/"level":[56]0/);
    expect(fixture.hub.complaints).not.toContain(CANARY);
  });
});
