import { exampleOf } from './examples.js';
import { html, json, type Markup } from './markup.js';
import type { OpenApi, Operation } from './openapi.js';
import type { Schema } from './schemas.js';

type Fields = Record<string, unknown>;

export interface Route {
  method: string;
  path: string;
  operation: Operation;
}

/** An example request of a route: the path with its parameters and query, and the body. */
export interface HttpExample {
  path: string;
  parameters: Fields;
  body: Fields | undefined;
}

export function exampleRequest({ path, operation }: Route): HttpExample {
  const given = operation.parameters
    .filter(({ in: place, required, example }) => place !== 'header' && (required || example !== undefined))
    .map(({ name, in: place, schema, example = exampleOf(schema, {}) }) => ({ name, place, example }));
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, place, example } of given) {
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(String(example)));
    else query.set(name, String(example));
  }
  return {
    path: query.size > 0 ? `${filled}?${query}` : filled,
    parameters: Object.fromEntries(given.map(({ name, example }) => [name, example])),
    body: operation.requestBody?.content['application/json']?.example as Fields | undefined,
  };
}

/** The same request with the client library, curl and Python. */
export function httpSamples(route: Route): Markup {
  const { method, operation } = route;
  const { path, parameters, body } = exampleRequest(route);
  const { key, ...fields } = body ?? {};
  const request = { ...parameters, ...fields };
  const argument = Object.keys(request).length === 0 ? '' : `, ${literal(request)}`;
  const python = [`'${method}'`, `'${path}'`, ...(body ? [pythonLiteral(fields)] : [])];
  if (key !== undefined) python.push(`key=${pythonLiteral(key)}`);
  return samples({
    'Client library': `await api.call('${operation.operationId}'${argument});`,
    curl: curl(route),
    Python: `hub.http(${python.join(', ')})`,
  });
}

/** A message with the client library and Python, and the route that does the same with curl. */
export function messageSamples(name: string, payload: Fields, route: Route | undefined): Markup {
  const { key: _made, ...fields } = payload;
  const [, method = ''] = name.split(':');
  const argument = method === 'get' ? literal(fields.orderId) : literal(fields);
  const python = Object.entries(fields).map(([field, value]) => `, ${field}=${pythonLiteral(value)}`);
  return samples({
    'Client library': `await hub.${method}(${argument});`,
    ...(route ? { curl: curl(route) } : {}),
    Python: `hub.call('${name}'${python.join('')})`,
  });
}

/** The whole JSON of a success. */
export function answerFigure(
  caption: string,
  schema: Schema,
  { components: { schemas } }: Pick<OpenApi, 'components'>,
) {
  return html`<figure class="answer"><figcaption>${caption}</figcaption><pre tabindex="0"><code>${json(exampleOf(schema, schemas))}</code></pre></figure>`;
}

function samples(texts: Record<string, string>): Markup {
  const figures = Object.entries(texts).map(
    ([language, text]) =>
      html`<figure><figcaption>${language}</figcaption><pre tabindex="0"><code>${text}</code></pre></figure>`,
  );
  return html`<details class="samples"><summary>Samples: ${Object.keys(texts).join(', ')}</summary>${figures}</details>`;
}

function curl(route: Route): string {
  const { path, body } = exampleRequest(route);
  const { method, operation } = route;
  const words = [
    'curl',
    ...(method === (body ? 'POST' : 'GET') ? [] : [`-X ${method}`]),
    `"$HUB${path}"`,
    ...(operation.security ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(body
      ? [`-H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`]
      : []),
  ];
  return words.join(' ');
}

/** JavaScript in the house's style: names without quotes, strings in single ones. */
function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(
    ([name, field]) => `${/^[A-Za-z]\w*$/.test(name) ? name : quoted(name)}: ${literal(field)}`,
  );
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function pythonLiteral(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return String(value);
  if (value === null) return 'None';
  return `{${Object.entries(value)
    .map(([name, field]) => `${quoted(name)}: ${pythonLiteral(field)}`)
    .join(', ')}}`;
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
