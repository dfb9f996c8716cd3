import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from '../../src/contract/parse.js';
import type { RouteRow } from '../../src/contract/row.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { asyncApi } from '../../src/docs/asyncapi.js';
import { exampleOf } from '../../src/docs/examples.js';
import { openApi } from '../../src/docs/openapi.js';
import type { Schema } from '../../src/docs/schemas.js';
import { Witness } from './witness.js';

const http = openApi();
const sockets = asyncApi();
const witness = new Witness(http, sockets);

const operations = Object.entries(http.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the shapes of the documents', () => {
  test('are JSON Schema', () => {
    const ajv = new Ajv2020();
    for (const schema of shapesIn([http, sockets]))
      expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null]);
  });

  test('say something of every field', () => {
    const silent = fieldsIn([http, sockets]).filter(
      ([name, field]) => name !== 'details' && Object.keys(field).every((keyword) => keyword === 'description'),
    );
    expect(silent).toEqual([]);
  });

  test('show examples of fields that the field takes', () => {
    const shown = fieldsIn([http, sockets]).flatMap(([name, { examples, ...field }]) =>
      (examples ?? []).map((example) => ({ name, field, example })),
    );
    expect(shown.length).toBeGreaterThan(100);
    for (const { name, field, example } of shown) {
      expect([name, example, witness.faultsOf('http', field, example)]).toEqual([name, example, '']);
    }
  });
});

describe('the examples of the documents', () => {
  test.each(operations)('of $method $path are what it takes, and what it gives', ({ path, method, operation }) => {
    const route: RouteRow | undefined = Object.entries(routes).find(([name]) => name === operation.operationId)?.[1];
    const body = operation.requestBody?.content['application/json'];
    const given = operation.parameters
      .filter((parameter) => parameter.in !== 'header' && (parameter.required || parameter.example !== undefined))
      .map(({ name, schema, example = exampleOf(schema, {}) }) => [name, example]);
    const message = { ...Object.fromEntries(given), ...(body?.example as object | undefined) };
    const request = route?.request;
    if (request) expect(() => parse(request, message)).not.toThrow();
    else expect(message).toEqual({});
    if (body)
      witness.holds(
        'http',
        ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'],
        body.example,
      );
    for (const [status, response] of Object.entries(operation.responses)) {
      for (const [type, { example }] of Object.entries(witness.resolved(response).content ?? {})) {
        if (example === undefined) continue;
        witness.holds('http', ['paths', path, method, 'responses', status, 'content', type, 'schema'], example);
      }
    }
  });

  test.each(Object.entries(sockets.components.messages))('of %s are what it holds', (key, { examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const { payload } of examples) witness.holds('sockets', ['components', 'messages', key, 'payload'], payload);
  });

  test('of messages and pushes are what the hub itself reads and writes', () => {
    const example = (name: string) => sockets.components.messages[name.replace(':', '.')]?.examples[0]?.payload;
    for (const [name, { request }] of Object.entries(messages))
      expect(() => parse(request, example(name))).not.toThrow();
    for (const [name, push] of Object.entries(pushes)) expect(() => parse(push, example(name))).not.toThrow();
  });
});

/** Every shape in a document, wherever it stands. */
function shapesIn(value: unknown): Schema[] {
  if (Array.isArray(value)) return value.flatMap(shapesIn);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, part]) => {
    if (name === 'schema' || name === 'payload') return [part as Schema];
    if (name === 'schemas') return Object.values(part as Record<string, Schema>);
    return name === 'examples' || name === 'example' ? [] : shapesIn(part);
  });
}

/** Every field of every shape, also of the shapes within. */
function fieldsIn(value: unknown): [string, Schema][] {
  const fields = (schema: Schema): [string, Schema][] => {
    const own = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
    const within = [...own.map(([, field]) => field), schema.items, ...(schema.anyOf ?? [])] as (Schema | undefined)[];
    return [...own, ...within.flatMap((part) => (part ? fields(part) : []))];
  };
  return shapesIn(value).flatMap(fields);
}
