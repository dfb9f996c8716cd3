import type { Schema } from './schemas.js';

/** A value as the schema describes it, put together from the examples of its fields. */
export function exampleOf(schema: Schema, named: Record<string, Schema>): unknown {
  const target = resolve(schema, named);
  if (target.examples) return target.examples[0];
  if (target.const !== undefined) return target.const;
  if (target.enum) return target.enum[0];
  const [choice] = target.anyOf ?? [];
  if (choice) return exampleOf(choice as Schema, named);
  switch (target.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(target.properties ?? {})
          .filter(([name, field]) => target.required?.includes(name) || isWorthShowing(field as Schema))
          .map(([name, field]) => [name, exampleOf(field as Schema, named)]),
      );
    case 'array':
      return [exampleOf((target.items ?? {}) as Schema, named)];
    case 'integer':
      return target.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return Array.isArray(target.type) ? null : 'text';
  }
}

/** An optional field is shown where the contract has an example for it, or for what it is made of. */
function isWorthShowing({ examples, items, properties }: Schema): boolean {
  const parts = [...Object.values(properties ?? {}), ...(items ? [items] : [])] as Schema[];
  return examples !== undefined || parts.some(isWorthShowing);
}

/** What a reference leads to, with what is said beside the reference. */
export function resolve({ $ref, ...beside }: Schema, named: Record<string, Schema>): Schema {
  if ($ref === undefined) return beside;
  const target = named[$ref.slice($ref.lastIndexOf('/') + 1)];
  if (!target) throw new Error(`${$ref} leads nowhere`);
  return { ...target, ...beside };
}
