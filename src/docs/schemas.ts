import { z } from 'zod';
import { type ErrorCode, errorBody, errorCodes, errorSchema } from '../contract/errors.js';
import { listedOrder, order, orderWithTimeline, timelineEntry } from '../contract/orders.js';
import { orderStatusPush } from '../contract/rooms.js';
import { book, store } from '../contract/stores.js';
import { entry, wallet, walletBalance } from '../contract/wallet.js';
import { deliverTo, note } from '../contract/words.js';

/** A shape of the contract as JSON Schema 2020-12, limited to keywords that earlier drafts have too. */
export type Schema = z.core.JSONSchema.BaseSchema;

const errors = new Map(errorCodes.map((code) => [code, errorSchema(code)]));

/** The shapes that become named component schemas; everything else refers to them. */
const named: Record<string, z.ZodType> = {
  Order: order,
  OrderWithTimeline: orderWithTimeline,
  ListedOrder: listedOrder,
  Address: deliverTo,
  Note: note,
  TimelineEntry: timelineEntry,
  OrderEvent: orderStatusPush,
  Store: store,
  Book: book,
  Wallet: wallet,
  WalletBalance: walletBalance,
  WalletEntry: entry,
  Error: errorBody,
  ...Object.fromEntries(errors),
};

const nameOf = new Map<z.core.$ZodType, string>(Object.entries(named).map(([name, shape]) => [shape, name]));

/** The schema of a shape: a reference if the shape is named. */
export function schemaOf(shape: z.ZodType): Schema {
  const name = nameOf.get(shape);
  return name === undefined ? convert(shape) : { $ref: referenceTo(name) };
}

/** The schemas of all named shapes, for a document's `components.schemas`. */
export function namedSchemas(): Record<string, Schema> {
  return Object.fromEntries(Object.entries(named).map(([name, shape]) => [name, convert(shape)]));
}

/** The shape of an error with one of these codes. */
export function oneOfErrors(codes: readonly ErrorCode[]): z.ZodType {
  const [first, ...others] = codes.flatMap((code) => errors.get(code) ?? []);
  if (!first) throw new Error('At least one error code is needed');
  return others.length === 0 ? first : z.union([first, ...others]);
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function convert(shape: z.ZodType): Schema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape, {
    // Checks that JSON Schema cannot express are covered by the field's description.
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
