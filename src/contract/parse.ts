import type { z } from 'zod';
import { type Fault, Refusal } from './errors.js';

/** How deeply arrays and objects may be nested. Deeper input has stopped processes that recurse over it. */
export const NESTING_MAX = 32;
/** At most this many faults of one message are told. */
export const FAULTS_MAX = 1_000;

/** Reads a message as the contract's shape says, or refuses it with every fault that it has. Never echoes a value. */
export function parse<Schema extends z.ZodType>(schema: Schema, message: unknown): z.output<Schema> {
  if (isNestedTooDeeply(message)) {
    throw Refusal.badMessage([{ path: '', problem: `is nested more than ${NESTING_MAX} deep` }]);
  }
  const result = schema.safeParse(message);
  if (result.success) return result.data;
  throw Refusal.badMessage(result.error.issues.flatMap(faultsOf).slice(0, FAULTS_MAX));
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
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
