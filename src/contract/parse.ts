import type { z } from 'zod';
import { type FieldError, HubError } from './errors.js';

/** The deepest nesting of arrays and objects. Deeper input can overflow the stack of code that recurses over it. */
export const NESTING_MAX = 32;
/** The most field errors that one `BAD_MESSAGE` lists. */
export const FIELD_ERRORS_MAX = 1_000;

/** Parses a request, or throws a `BAD_MESSAGE` that lists every invalid field. The error never repeats a submitted value. */
export function parse<Schema extends z.ZodType>(schema: Schema, request: unknown): z.output<Schema> {
  if (isNestedTooDeeply(request)) {
    throw HubError.badMessage([{ path: '', problem: `is nested more than ${NESTING_MAX} levels deep` }]);
  }
  const result = schema.safeParse(request);
  if (result.success) return result.data;
  throw HubError.badMessage(result.error.issues.flatMap(fieldErrorsOf).slice(0, FIELD_ERRORS_MAX));
}

function fieldErrorsOf(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => ({
      path: [...issue.path, name].join('.'),
      problem: 'is not a field of this message',
    }));
  }
  return [{ path: issue.path.join('.'), problem: issue.message }];
}

function isNestedTooDeeply(value: unknown, levelsLeft = NESTING_MAX): boolean {
  if (!isContainer(value)) return false;
  if (levelsLeft === 0) return true;
  for (const name in value) {
    if (isNestedTooDeeply(value[name as keyof typeof value], levelsLeft - 1)) return true;
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !ArrayBuffer.isView(value);
}
