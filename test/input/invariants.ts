import { z } from 'zod';
import { type ErrorBody, errorBody, errorTypes, type FieldError } from '../../src/contract/errors.js';
import { errorsOf } from '../../src/contract/row.js';
import { answerTo } from '../../src/contract/wire.js';
import type { Case, Expectation } from './catalogue.js';
import type { Row } from './rows.js';
import { CANARY } from './values.js';

/** The first violation in the answers to a message, if any: their number, the contract, the expectation, or an echo of input. */
export function answerViolation(
  row: Row,
  { expects, ack }: Pick<Case, 'expects' | 'ack'>,
  answers: unknown[],
): string | undefined {
  const expectedCount = ack?.count ?? 1;
  if (answers.length !== expectedCount) return `was answered ${answers.length} times`;
  for (const answer of answers) {
    const shape = answerTo(row.contract.data ?? z.undefined(), errorBody);
    const parsed = shape.safeParse(answer);
    if (!parsed.success) return `was answered in violation of the contract: ${JSON.stringify(answer)?.slice(0, 300)}`;
    const { data } = parsed;
    if (data.ok) {
      if (expects !== 'an answer') return 'was accepted';
      continue;
    }
    const violation = refusalViolation(row, expects, data.error as ErrorBody);
    if (violation) return violation;
  }
  return undefined;
}

export function refusalViolation(row: Row, expects: Expectation, error: ErrorBody): string | undefined {
  const text = JSON.stringify(error).slice(0, 300);
  if (error.code === 'INTERNAL') return `caused an internal error: ${text}`;
  if (error.retryable !== errorTypes[error.code].retryable) return `has the wrong retryable flag: ${text}`;
  if (isEcho(error)) return `was echoed: ${text}`;
  if (typeof expects === 'object') {
    if (error.code !== expects.code) return `was refused with ${text}`;
    return expects.at === undefined || isReportedAt(expects.at, error)
      ? undefined
      : `was refused at another path: ${text}`;
  }
  return errorsOf(row.contract).includes(error.code)
    ? undefined
    : `was refused with an error that this row does not list: ${text}`;
}

export function isEcho(error: ErrorBody): boolean {
  return JSON.stringify(withoutPaths(error)).includes(CANARY);
}

/** A field error's path may name the client's own fields, and an unknown book is named by its id. */
function withoutPaths({ details, ...error }: ErrorBody): unknown {
  if (Array.isArray(details)) return { ...error, details: (details as FieldError[]).map(({ problem }) => problem) };
  const { bookId: _, ...others } = (details ?? {}) as Record<string, unknown>;
  return { ...error, details: others };
}

/** A message nested too deeply is refused as a whole, without a path. */
function isReportedAt(path: string, { details }: ErrorBody): boolean {
  return (details as FieldError[]).some(
    (each) => each.path === path || each.path.startsWith(`${path}.`) || /nested/.test(each.problem),
  );
}
