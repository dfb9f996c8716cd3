import { z } from 'zod';
import { type ErrorBody, errorBody, type Fault, refusals } from '../../src/contract/errors.js';
import { refusalsOf } from '../../src/contract/row.js';
import { answerTo } from '../../src/contract/wire.js';
import type { Case, Expectation } from './catalogue.js';
import type { Row } from './rows.js';
import { CANARY } from './values.js';

/** What is wrong with the answers to one message: nothing, if there is one, of the contract, as expected, without an echo. */
export function wrongWith(
  row: Row,
  { expects, numbered }: Pick<Case, 'expects' | 'numbered'>,
  answers: unknown[],
): string | undefined {
  const due = numbered?.answers ?? 1;
  if (answers.length !== due) return `was answered ${answers.length} times`;
  for (const answer of answers) {
    const shape = answerTo(row.says.data ?? z.undefined(), errorBody);
    const read = shape.safeParse(answer);
    if (!read.success) return `was answered outside of the contract: ${JSON.stringify(answer)?.slice(0, 300)}`;
    const { data } = read;
    if (data.ok) {
      if (expects !== 'an answer') return 'was taken';
      continue;
    }
    const fault = wrongWithRefusal(row, expects, data.error as ErrorBody);
    if (fault) return fault;
  }
  return undefined;
}

export function wrongWithRefusal(row: Row, expects: Expectation, error: ErrorBody): string | undefined {
  const told = JSON.stringify(error).slice(0, 300);
  if (error.code === 'INTERNAL') return `found a fault of the hub: ${told}`;
  if (error.retryable !== refusals[error.code].retryable) return `is not retryable as the contract says: ${told}`;
  if (isEcho(error)) return `was echoed: ${told}`;
  if (typeof expects === 'object') {
    if (error.code !== expects.code) return `was refused with ${told}`;
    return expects.at === undefined || isToldAt(expects.at, error)
      ? undefined
      : `was refused at another place: ${told}`;
  }
  return refusalsOf(row.says).includes(error.code) ? undefined : `was refused with what this row never says: ${told}`;
}

export function isEcho(error: ErrorBody): boolean {
  return JSON.stringify(withoutPlaces(error)).includes(CANARY);
}

/** The path of a fault names fields, those too that the client made up; and a book that is not there is named by its id. */
function withoutPlaces({ details, ...error }: ErrorBody): unknown {
  if (Array.isArray(details)) return { ...error, details: (details as Fault[]).map(({ problem }) => problem) };
  const { bookId: _, ...others } = (details ?? {}) as Record<string, unknown>;
  return { ...error, details: others };
}

/** What is nested too deeply is refused as a whole, before anybody looks where. */
function isToldAt(place: string, { details }: ErrorBody): boolean {
  return (details as Fault[]).some(
    ({ path, problem }) => path === place || path.startsWith(`${place}.`) || /nested/.test(problem),
  );
}
