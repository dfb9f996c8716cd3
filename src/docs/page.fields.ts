import { between, code, html, type Markup, type Part, phrase } from './markup.js';
import type { Schema } from './schemas.js';

interface FieldRow {
  path: string;
  required: boolean;
  schema: Schema;
}

/** The fields of a shape as a table, those of its parts with their dotted paths. */
export function fieldTable(schema: Schema): Markup | undefined {
  const rows = rowsOf(schema, '');
  return rows.length === 0 ? undefined : rowTable(rows);
}

export function rowTable(rows: FieldRow[]): Markup {
  return html`<table class="fields">
<thead><tr><th scope="col">field</th><th scope="col">is</th><th scope="col">meaning</th></tr></thead>
<tbody>${rows.map(fieldRow)}</tbody></table>`;
}

/** What stands in a field, in words: its kind and its limits. */
export function kindOf(schema: Schema): Part {
  const { $ref, anyOf, enum: values, type } = schema;
  if ($ref !== undefined) return linkToShape($ref);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (values) return between(' · ', values.map(String).map(code));
  if (anyOf) return between(' or ', (anyOf as Schema[]).map(kindOf));
  if (Array.isArray(type)) {
    const kinds = type.map((each) => kindOf({ ...schema, type: each }));
    return between(' or ', kinds);
  }
  switch (type) {
    case 'array':
      return ['list', range(schema.minItems, schema.maxItems, ' of '), ...itemsOf(schema)];
    case 'string':
      return textOf(schema);
    case 'integer':
      return ['whole number', range(schema.minimum, schema.maximum)];
    default:
      return type ?? 'anything';
  }
}

/** Items with fields of their own have rows of their own. */
function itemsOf({ items }: Schema): Part[] {
  const item = (items ?? {}) as Schema;
  return item.properties ? [] : [' of ', kindOf(item)];
}

function textOf({ format, pattern, minLength, maxLength }: Schema): Part {
  if (format === 'date-time') return 'time';
  if (pattern !== undefined) return ['text like ', code(pattern)];
  return ['text', range(minLength, maxLength, ', ', ' characters')];
}

export function linkToShape($ref: string): Markup {
  const name = $ref.slice($ref.lastIndexOf('/') + 1);
  return html`<a href="#shape-${name}">${name}</a>`;
}

function fieldRow({ path, required, schema }: FieldRow): Markup {
  return html`<tr>
<th scope="row"><code>${path}</code>${required ? '' : html` <small>optional</small>`}</th>
<td>${kindOf(schema)}</td><td>${phrase(schema.description ?? '')}</td></tr>
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
  const least = from === Number.MIN_SAFE_INTEGER ? undefined : from;
  const most = to === Number.MAX_SAFE_INTEGER ? undefined : to;
  if (least === undefined && most === undefined) return [];
  if (most === undefined) return [before, 'at least ', number(least ?? 0), unit];
  return [before, least === undefined ? 'up' : number(least), ' to ', number(most), unit];
}

function number(value: number): Part {
  const power = Math.log10(value);
  return value >= 10 ** 9 && Number.isInteger(power) ? html`10<sup>${power}</sup>` : value.toLocaleString('en');
}
