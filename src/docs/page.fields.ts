import { code, html, join, type Markup, type Part, phrase } from './markup.js';
import type { Schema } from './schemas.js';

interface FieldRow {
  path: string;
  required: boolean;
  schema: Schema;
}

/** A schema's fields as a table, nested ones by their dotted paths; `undefined` if it has none. */
export function fieldTable(schema: Schema): Markup | undefined {
  const rows = rowsOf(schema, '');
  return rows.length === 0 ? undefined : rowTable(rows);
}

export function rowTable(rows: FieldRow[]): Markup {
  return html`<table class="fields">
<thead><tr><th scope="col">field</th><th scope="col">type</th><th scope="col">description</th></tr></thead>
<tbody>${rows.map(fieldRow)}</tbody></table>`;
}

/** A field's type and limits, in words. */
function typeOf(schema: Schema): Part {
  const { $ref, anyOf, enum: values, type } = schema;
  if ($ref !== undefined) return linkToSchema($ref);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (values) return join(' · ', values.map(String).map(code));
  if (anyOf) return join(' or ', (anyOf as Schema[]).map(typeOf));
  if (Array.isArray(type)) {
    const types = type.map((each) => typeOf({ ...schema, type: each }));
    return join(' or ', types);
  }
  switch (type) {
    case 'array':
      return ['array', range(schema.minItems, schema.maxItems, ' of '), ...itemsOf(schema)];
    case 'string':
      return stringOf(schema);
    case 'integer':
      return ['integer', range(schema.minimum, schema.maximum)];
    default:
      return type ?? 'any';
  }
}

/** The type of a list's items. Objects are left out: their fields have rows of their own. */
function itemsOf({ items }: Schema): Part[] {
  const item = (items ?? {}) as Schema;
  return item.properties ? [] : [' of ', typeOf(item)];
}

function stringOf({ format, pattern, minLength, maxLength }: Schema): Part {
  if (format === 'date-time') return 'time';
  if (pattern !== undefined) return ['string matching ', code(pattern)];
  return ['string', range(minLength, maxLength, ', ', ' characters')];
}

export function linkToSchema($ref: string): Markup {
  const name = $ref.slice($ref.lastIndexOf('/') + 1);
  return html`<a href="#shape-${name}">${name}</a>`;
}

/** A link to a named schema; for any other, the names of its fields. */
export function schemaSummary(schema: Schema): Markup {
  if (schema.$ref !== undefined) return linkToSchema(schema.$ref);
  const fields = Object.entries(schema.properties ?? {}) as [string, Schema][];
  const parts = fields.map(([name, field]) => {
    const $ref = (field.items as Schema | undefined)?.$ref ?? field.$ref;
    return $ref === undefined ? code(name) : [code(name), ': ', linkToSchema($ref), field.items ? ' …' : ''];
  });
  return html`{ ${join(', ', parts)} }`;
}

function fieldRow({ path, required, schema }: FieldRow): Markup {
  return html`<tr>
<th scope="row"><code>${path}</code>${required ? '' : html` <small>optional</small>`}</th>
<td>${typeOf(schema)}</td><td>${phrase(schema.description ?? '')}</td></tr>
`;
}

function rowsOf(schema: Schema, prefix: string): FieldRow[] {
  const fields = Object.entries(schema.properties ?? {}) as [string, Schema][];
  return fields.flatMap(([name, field]) => {
    const path = prefix + name;
    const row = { path, required: schema.required?.includes(name) ?? false, schema: field };
    return [row, ...rowsOf(field, `${path}.`), ...rowsOf((field.items ?? {}) as Schema, `${path}[].`)];
  });
}

function range(from: number | undefined, to: number | undefined, before = ', ', unit = ''): Part[] {
  const lower = from === Number.MIN_SAFE_INTEGER ? undefined : from;
  const upper = to === Number.MAX_SAFE_INTEGER ? undefined : to;
  if (lower === undefined && upper === undefined) return [];
  if (upper === undefined) return [before, 'at least ', number(lower ?? 0), unit];
  return [before, lower === undefined ? 'up' : number(lower), ' to ', number(upper), unit];
}

function number(value: number): Part {
  const power = Math.log10(value);
  return value >= 10 ** 9 && Number.isInteger(power) ? html`10<sup>${power}</sup>` : value.toLocaleString('en');
}
