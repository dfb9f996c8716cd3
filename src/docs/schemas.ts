import { z } from 'zod';
import { errorBody, errorOf, type RefusalCode, refusalCodes } from '../contract/errors.js';
import { order, orderWithTimeline, timelineEntry } from '../contract/orders.js';
import { orderStatusPush } from '../contract/rooms.js';
import { book, store } from '../contract/stores.js';
import { entry, wallet } from '../contract/wallet.js';

/** A shape of the contract, as JSON Schema (2020-12, without anything that the drafts before it do not know). */
export type Schema = z.core.JSONSchema.BaseSchema;

const errors = new Map(refusalCodes.map((code) => [code, errorOf(code)]));

/** The shapes that the documents name once, and refer to wherever they are used. */
const named: Record<string, z.ZodType> = {
  Order: order,
  OrderWithTimeline: orderWithTimeline,
  TimelineEntry: timelineEntry,
  OrderEvent: orderStatusPush,
  Store: store,
  Book: book,
  Wallet: wallet,
  WalletEntry: entry,
  Error: errorBody,
  ...Object.fromEntries(errors),
};

const nameOf = new Map<z.core.$ZodType, string>(Object.entries(named).map(([name, shape]) => [shape, name]));

/** A shape as a schema: a reference where it is one of those with a name. */
export function schemaOf(shape: z.ZodType): Schema {
  const name = nameOf.get(shape);
  return name === undefined ? convert(shape) : { $ref: referenceTo(name) };
}

/** All named shapes: the `schemas` of a document's components. */
export function namedSchemas(): Record<string, Schema> {
  return Object.fromEntries(Object.entries(named).map(([name, shape]) => [name, convert(shape)]));
}

/** An error of one of these codes. */
export function errorAmong(codes: readonly RefusalCode[]): z.ZodType {
  const [first, ...others] = codes.flatMap((code) => errors.get(code) ?? []);
  if (!first) throw new Error('A refusal needs a code');
  return others.length === 0 ? first : z.union([first, ...others]);
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function convert(shape: z.ZodType): Schema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape, {
    // Checks that JSON Schema cannot say are described in words beside the shape.
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const part: z.core.$ZodType = zodSchema;
      const name = nameOf.get(part);
      if (part === shape || name === undefined) return;
      for (const keyword of Object.keys(jsonSchema)) delete jsonSchema[keyword];
      jsonSchema.$ref = referenceTo(name);
    },
  });
  return schema;
}
