import type { Schema } from './schemas.js';

/** An example value of a schema, assembled from the examples of its fields. */
export function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  const target = resolve(schema, schemas);
  if (target.examples) return target.examples[0];
  if (target.const !== undefined) return target.const;
  if (target.enum) return target.enum[0];
  const [choice] = target.anyOf ?? [];
  if (choice) return exampleOf(choice as Schema, schemas);
  switch (target.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(target.properties ?? {})
          .filter(([name, field]) => target.required?.includes(name) || hasExample(field as Schema, schemas))
          .map(([name, field]) => [name, exampleOf(field as Schema, schemas)]),
      );
    case 'array':
      return [exampleOf((target.items ?? {}) as Schema, schemas)];
    case 'integer':
      return target.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return Array.isArray(target.type) ? null : 'text';
  }
}

/** Whether the contract has an example for a field or for one of its parts: optional fields without one are left out. */
function hasExample(field: Schema, schemas: Record<string, Schema>): boolean {
  const { examples, items, properties } = resolve(field, schemas);
  const parts = [...Object.values(properties ?? {}), ...(items ? [items] : [])] as Schema[];
  return examples !== undefined || parts.some((part) => hasExample(part, schemas));
}

/** The target of a reference, overridden by the reference's sibling keywords. */
export function resolve({ $ref, ...siblings }: Schema, schemas: Record<string, Schema>): Schema {
  if ($ref === undefined) return siblings;
  const target = schemas[$ref.slice($ref.lastIndexOf('/') + 1)];
  if (!target) throw new Error(`${$ref} does not resolve`);
  return { ...target, ...siblings };
}
