import type { RefusalCode } from '../../src/contract/errors.js';
import { type Field, fieldsOf } from './fields.table.js';
import { framesThatCut, insteadOf, NAMES_OF_NOTHING, namesNear, twice, unlistedIn } from './generic.table.js';
import { untimelyFor } from './life.table.js';
import type { Row } from './rows.js';
import type { Stage } from './stage.js';
import { withValue, written } from './values.js';

/**
 * The catalogue of bad input: the tables beside this file, multiplied over the rows of the contract. Nothing here knows a
 * message by name, so that a new one inherits all of it.
 */
export interface Case {
  says: string;
  /** The name of the event, if it is not that of the row; any JSON. */
  name?: unknown;
  /** The arguments of the event. */
  args: unknown[];
  /** How the acknowledgement is numbered, and how the hub reads that number. */
  numbered?: { sent: string; heard: string; answers: number };
  /** Who says it, if not the one whom the contract names. */
  token?: string;
  expects: Expectation;
}

/** One refusal with this code, at this place; or any answer that the contract knows; or a push, where nobody waits for one. */
export type Expectation = { code: RefusalCode; at?: string } | 'an answer' | 'a push';

export interface Group {
  name: string;
  /** Whether its messages may have an effect. The rest must leave every table as it was. */
  takesEffect?: true;
  cases: (stage: Stage) => Case[];
}

export function groupsOf(row: Row): Group[] {
  const valid = (stage: Stage) => stage.validFor(row);
  const fields = fieldsOf(row.request);
  const refused = (says: string, args: unknown[], at?: string): Case => ({
    says,
    args,
    expects: { code: 'BAD_MESSAGE', ...(at === undefined ? {} : { at }) },
  });
  const command = /(\w+)$/.exec(row.name)?.[1] ?? '';
  return [
    ...fields.map((field) => ({
      name: `in the place of ${field.path.join('.')} (${field.kind})`,
      cases: (stage: Stage) =>
        refusedOffers(field, valid(stage)).map(({ says, message, at }) => refused(says, [message], at)),
    })),
    {
      name: 'in the place of the whole message',
      cases: (stage) => insteadOf(valid(stage)).map(({ says, args }) => refused(says, args)),
    },
    {
      name: 'with a field that is not listed',
      cases: (stage) => unlistedIn(valid(stage)).map(({ says, message, at }) => refused(says, [message], at)),
    },
    {
      name: 'with a field twice',
      cases: (stage) => fieldTwice(valid(stage), true).map((message) => refused('the last is bad', [message])),
    },
    {
      name: 'under another name',
      cases: (stage) =>
        [...namesNear(row.name), ...NAMES_OF_NOTHING, 5, 1.5].map((name) => ({
          says: `the name ${JSON.stringify(name).slice(0, 40)}`,
          name,
          args: [valid(stage)],
          expects: { code: 'UNKNOWN_MESSAGE' },
        })),
    },
    { name: 'with an acknowledgement of a strange number', cases: () => numbered },
    { name: 'without an acknowledgement', cases: () => [{ says: 'a bad message', args: [null], expects: 'a push' }] },
    { name: 'at the wrong time, or by the wrong party', cases: (stage) => untimely(command, stage) },
    {
      name: 'that is taken, though it looks strange',
      takesEffect: true,
      cases: (stage) => [
        ...fields.flatMap((field) => takenOffers(field, () => valid(stage))),
        ...fieldTwice(valid(stage), false).map(
          (message): Case => ({ says: 'the last of two is good', args: [message], expects: 'an answer' }),
        ),
      ],
    },
  ];
}

/** Frames that are no messages, around this one. */
export function cutsOf(row: Row, stage: Stage) {
  return framesThatCut(row.name, written(stage.validFor(row)));
}

const numbered: Case[] = [
  { sent: '0', heard: '0', answers: 1 },
  { sent: '007', heard: '7', answers: 1 },
  { sent: '99999999999999999999', heard: '100000000000000000000', answers: 1 },
  { sent: '9'.repeat(400), heard: 'Infinity', answers: 1 },
  { sent: '77', heard: '77', answers: 2 },
].map((number) => ({
  says: `the number ${number.sent.slice(0, 30)}, ${number.answers} at a time`,
  args: [null],
  numbered: number,
  expects: { code: 'BAD_MESSAGE' },
}));

/** What a field must not take: every value of its table that the contract refuses there, and nothing where it must be something. */
export function refusedOffers({ path, offers, required }: Field, valid: Record<string, unknown>) {
  const at = path.join('.');
  const full = withPlace(valid, path);
  const told = offers
    .filter(({ taken }) => !taken)
    .map(({ says, value }) => ({ says, value, message: withValue(full, path, value), at }));
  const without = { says: 'nothing at all', value: undefined, message: withValue(full, path, undefined), at };
  return required ? [...told, without] : told;
}

function takenOffers({ path, offers }: Field, valid: () => Record<string, unknown>): Case[] {
  return offers
    .filter(({ taken }) => taken)
    .map(({ says, value }) => ({
      says: `${path.join('.')}: ${says}`,
      args: [withValue(withPlace(valid(), path), path, value)],
      expects: 'an answer',
    }));
}

/** A valid message in which there is a place for this field: a list that was left out is there, and has an item. */
function withPlace(valid: Record<string, unknown>, path: string[]): Record<string, unknown> {
  const [first = ''] = path;
  return path.length > 1 && !Object.hasOwn(valid, first) ? { ...valid, [first]: path[1] === '0' ? [null] : {} } : valid;
}

function fieldTwice(valid: Record<string, unknown>, lastIsBad: boolean) {
  const message = twice(valid, lastIsBad);
  return message === undefined ? [] : [message];
}

function untimely(command: string, stage: Stage): Case[] {
  return untimelyFor(command, stage).map(({ says, by, message, code }) => ({
    says,
    args: [message],
    token: stage.scene.people[by].token,
    expects: { code },
  }));
}
