import type { ErrorCode } from '../../src/contract/errors.js';
import { type Field, fieldsOf } from './fields.table.js';
import type { Fixture } from './fixture.js';
import {
  duplicateField,
  invalidFrames,
  similarNames,
  UNKNOWN_NAMES,
  unlistedFields,
  wholeMessages,
} from './generic.table.js';
import { refusedCommandsFor } from './life.table.js';
import type { Row } from './rows.js';
import { toJson, withValue } from './values.js';

/**
 * The catalogue of bad input: the tables of this folder, applied to every row of the contract. No message is named here, so a new
 * one inherits all cases.
 */
export interface Case {
  label: string;
  /** The event's name, if it differs from the row's; any JSON. */
  name?: unknown;
  /** The arguments of the event. */
  args: unknown[];
  /** A custom acknowledgement id as sent and as parsed by the hub, and how often the message is sent. */
  ack?: { sent: string; parsed: string; count: number };
  /** Another sender than the one that the contract requires. */
  token?: string;
  expects: Expectation;
}

/** A refusal with this code and path; any answer of the contract; or an error push, without an acknowledgement. */
export type Expectation = { code: ErrorCode; at?: string } | 'an answer' | 'a push';

export interface Group {
  name: string;
  /** The messages may take effect. All others must leave every table unchanged. */
  takesEffect?: true;
  cases: (fixture: Fixture) => Case[];
}

export function groupsOf(row: Row): Group[] {
  const valid = (fixture: Fixture) => fixture.validFor(row);
  const fields = fieldsOf(row.request);
  const refused = (label: string, args: unknown[], at?: string): Case => ({
    label,
    args,
    expects: { code: 'BAD_MESSAGE', ...(at === undefined ? {} : { at }) },
  });
  const command = /(\w+)$/.exec(row.name)?.[1] ?? '';
  return [
    ...fields.map((field) => ({
      name: `as ${field.path.join('.')} (${field.kind})`,
      cases: (fixture: Fixture) =>
        rejectedSamples(field, valid(fixture)).map(({ label, message, at }) => refused(label, [message], at)),
    })),
    {
      name: 'as the whole message',
      cases: (fixture) => wholeMessages(valid(fixture)).map(({ label, args }) => refused(label, args)),
    },
    {
      name: 'with an unlisted field',
      cases: (fixture) => unlistedFields(valid(fixture)).map(({ label, message, at }) => refused(label, [message], at)),
    },
    {
      name: 'with a duplicate field',
      cases: (fixture) =>
        withDuplicateField(valid(fixture), true).map((message) => refused('the last one is invalid', [message])),
    },
    {
      name: 'with another event name',
      cases: (fixture) =>
        [...similarNames(row.name), ...UNKNOWN_NAMES, 5, 1.5].map((name) => ({
          label: `the name ${JSON.stringify(name).slice(0, 40)}`,
          name,
          args: [valid(fixture)],
          expects: { code: 'UNKNOWN_MESSAGE' },
        })),
    },
    { name: 'with an unusual acknowledgement id', cases: () => ackIdCases },
    { name: 'without an acknowledgement', cases: () => [{ label: 'a bad message', args: [null], expects: 'a push' }] },
    { name: 'in the wrong status or by the wrong role', cases: (fixture) => refusedCommands(command, fixture) },
    {
      name: 'that is unusual but valid',
      takesEffect: true,
      cases: (fixture) => [
        ...fields.flatMap((field) => acceptedSamples(field, () => valid(fixture))),
        ...withDuplicateField(valid(fixture), false).map(
          (message): Case => ({ label: 'the last one is valid', args: [message], expects: 'an answer' }),
        ),
      ],
    },
  ];
}

/** Invalid frames around a valid message of this row. */
export function invalidFramesOf(row: Row, fixture: Fixture) {
  return invalidFrames(row.name, toJson(fixture.validFor(row)));
}

const ackIdCases: Case[] = [
  { sent: '0', parsed: '0', count: 1 },
  { sent: '007', parsed: '7', count: 1 },
  { sent: '99999999999999999999', parsed: '100000000000000000000', count: 1 },
  { sent: '9'.repeat(400), parsed: 'Infinity', count: 1 },
  { sent: '77', parsed: '77', count: 2 },
].map((ack) => ({
  label: `the id ${ack.sent.slice(0, 30)}, sent ${ack.count} times`,
  args: [null],
  ack,
  expects: { code: 'BAD_MESSAGE' },
}));

/** Invalid values for a field: those of its table that the contract refuses, and its absence if it is required. */
export function rejectedSamples({ path, samples, required }: Field, valid: Record<string, unknown>) {
  const at = path.join('.');
  const complete = withParent(valid, path);
  const rejected = samples
    .filter(({ accepted }) => !accepted)
    .map(({ label, value }) => ({ label, value, message: withValue(complete, path, value), at }));
  const missing = { label: 'missing', value: undefined, message: withValue(complete, path, undefined), at };
  return required ? [...rejected, missing] : rejected;
}

function acceptedSamples({ path, samples }: Field, valid: () => Record<string, unknown>): Case[] {
  return samples
    .filter(({ accepted }) => accepted)
    .map(({ label, value }) => ({
      label: `${path.join('.')}: ${label}`,
      args: [withValue(withParent(valid(), path), path, value)],
      expects: 'an answer',
    }));
}

/** A valid message in which the field's parent exists: an omitted list is added with one item. */
function withParent(valid: Record<string, unknown>, path: string[]): Record<string, unknown> {
  const [first = ''] = path;
  return path.length > 1 && !Object.hasOwn(valid, first) ? { ...valid, [first]: path[1] === '0' ? [null] : {} } : valid;
}

function withDuplicateField(valid: Record<string, unknown>, lastIsBad: boolean) {
  const message = duplicateField(valid, lastIsBad);
  return message === undefined ? [] : [message];
}

function refusedCommands(command: string, fixture: Fixture): Case[] {
  return refusedCommandsFor(command, fixture).map(({ label, by, message, code }) => ({
    label,
    args: [message],
    token: fixture.data.people[by].token,
    expects: { code },
  }));
}
