import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from '../../src/contract/parse.js';
import type { RouteRow } from '../../src/contract/row.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { asyncApi } from '../../src/docs/asyncapi.js';
import { exampleOf } from '../../src/docs/examples.js';
import { openApi } from '../../src/docs/openapi.js';
import type { Schema } from '../../src/docs/schemas.js';
import { ResponseRecorder } from './response.recorder.js';

const http = openApi();
const sockets = asyncApi();
const recorder = new ResponseRecorder(http, sockets);

const operations = Object.entries(http.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the schemas of the documents', () => {
  test('are valid JSON Schema', () => {
    const ajv = new Ajv2020();
    for (const schema of schemasIn([http, sockets]))
      expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null]);
  });

  test('constrain every field', () => {
    const undescribed = fieldsIn([http, sockets]).filter(
      ([name, field]) => name !== 'details' && Object.keys(field).every((keyword) => keyword === 'description'),
    );
    expect(undescribed).toEqual([]);
  });

  test('have valid examples for their fields', () => {
    const withExamples = fieldsIn([http, sockets]).flatMap(([name, { examples, ...field }]) =>
      (examples ?? []).map((example) => ({ name, field, example })),
    );
    expect(withExamples.length).toBeGreaterThan(100);
    for (const { name, field, example } of withExamples) {
      expect([name, example, recorder.errorsOf('http', field, example)]).toEqual([name, example, '']);
    }
  });
});

describe('the examples of the documents', () => {
  test.each(operations)('of $method $path match its request and responses', ({ path, method, operation }) => {
    const route: RouteRow | undefined = Object.entries(routes).find(([name]) => name === operation.operationId)?.[1];
    const body = operation.requestBody?.content['application/json'];
    const parameters = operation.parameters
      .filter((parameter) => parameter.in !== 'header' && (parameter.required || parameter.example !== undefined))
      .map(({ name, schema, example = exampleOf(schema, {}) }) => [name, example]);
    const message = { ...Object.fromEntries(parameters), ...(body?.example as object | undefined) };
    const request = route?.request;
    if (request) expect(() => parse(request, message)).not.toThrow();
    else expect(message).toEqual({});
    if (body)
      recorder.expectMatch(
        'http',
        ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'],
        body.example,
      );
    for (const [status, response] of Object.entries(operation.responses)) {
      for (const [type, { example }] of Object.entries(recorder.resolve(response).content ?? {})) {
        if (example === undefined) continue;
        recorder.expectMatch('http', ['paths', path, method, 'responses', status, 'content', type, 'schema'], example);
      }
    }
  });

  test.each(Object.entries(sockets.components.messages))('of %s match its payload', (key, { examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const { payload } of examples)
      recorder.expectMatch('sockets', ['components', 'messages', key, 'payload'], payload);
  });

  test('of messages and pushes are accepted by the contract', () => {
    const example = (name: string) => sockets.components.messages[name.replace(':', '.')]?.examples[0]?.payload;
    for (const [name, { request }] of Object.entries(messages))
      expect(() => parse(request, example(name))).not.toThrow();
    for (const [name, push] of Object.entries(pushes)) expect(() => parse(push, example(name))).not.toThrow();
  });
});

/** Every schema in a document, at any depth. */
function schemasIn(value: unknown): Schema[] {
  if (Array.isArray(value)) return value.flatMap(schemasIn);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, child]) => {
    if (name === 'schema' || name === 'payload') return [child as Schema];
    if (name === 'schemas') return Object.values(child as Record<string, Schema>);
    return name === 'examples' || name === 'example' ? [] : schemasIn(child);
  });
}

/** Every field of every schema, including nested ones. */
function fieldsIn(value: unknown): [string, Schema][] {
  const fields = (schema: Schema): [string, Schema][] => {
    const direct = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
    const nested = [...direct.map(([, field]) => field), schema.items, ...(schema.anyOf ?? [])] as (
      | Schema
      | undefined
    )[];
    return [...direct, ...nested.flatMap((child) => (child ? fields(child) : []))];
  };
  return schemasIn(value).flatMap(fields);
}
