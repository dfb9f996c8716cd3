import { type Input, Parser } from '@asyncapi/parser';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MESSAGE_METADATA } from '@nestjs/websockets/constants.js';
import { compileErrors, validate } from '@readme/openapi-parser';
import { errorsOf, type MessageRow, type RouteRow, takesKey } from '../../src/contract/row.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { asyncApi } from '../../src/docs/asyncapi.js';
import { openApi } from '../../src/docs/openapi.js';
import { OrdersGateway } from '../../src/orders/orders.gateway.js';
import { TestHub } from '../support/hub.js';
import { ResponseRecorder } from './response.recorder.js';

/** A path in the document's template syntax. */
const toTemplate = (path: string) => path.replace(/:(\w+)/g, '{$1}');

describe('the API documents', () => {
  let hub: TestHub;
  let http: ReturnType<typeof openApi>;
  let sockets: ReturnType<typeof asyncApi>;
  let recorder: ResponseRecorder;

  beforeAll(async () => {
    hub = await TestHub.start();
    recorder = await ResponseRecorder.of(hub.url);
    ({ http, sockets } = recorder);
  });
  afterAll(() => hub.stop());

  test('are served as generated from the contract', async () => {
    expect(http).toEqual(JSON.parse(JSON.stringify(openApi())));
    expect(sockets).toEqual(JSON.parse(JSON.stringify(asyncApi())));
  });

  test('pass the OpenAPI validator', async () => {
    expect(http.openapi).toBe('3.1.0');
    expect(await openApiErrors(http)).toBe('');
  });

  test('would fail the OpenAPI validator with mistakes', async () => {
    const unknownField = structuredClone(http);
    Object.assign(unknownField.paths['/wallet']?.get ?? {}, { answers: {} });
    const wrongParameter = structuredClone(http);
    for (const parameter of wrongParameter.paths['/orders/{orderId}']?.get?.parameters ?? []) parameter.name = 'other';
    for (const broken of [unknownField, wrongParameter]) expect(await openApiErrors(broken)).not.toBe('');
  });

  test('pass the AsyncAPI parser', async () => {
    expect(sockets.asyncapi).toBe('3.0.0');
    expect(await asyncApiErrors(sockets)).toEqual([]);
  });

  test('would fail the AsyncAPI parser with mistakes', async () => {
    const broken = structuredClone(sockets);
    Object.assign(broken.operations['order.pay'] ?? {}, { action: 'hear' });
    expect(await asyncApiErrors(broken)).not.toEqual([]);
  });

  test('list every route, and no other operation', () => {
    const documented = Object.entries(http.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { operationId }]) => [operationId, method, path]),
    );
    const listed = Object.entries<RouteRow>(routes).map(([name, { method, path }]) => [
      name,
      method.toLowerCase(),
      toTemplate(path),
    ]);
    expect(documented.sort()).toEqual(listed.sort());
  });

  test('list exactly the routes that the hub serves', () => {
    const documented = Object.entries(http.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(routesServedBy(hub).sort()).toEqual(documented.sort());
  });

  test('list every message and push, and no others', () => {
    const named = (action: string) =>
      Object.entries(sockets.operations)
        .filter(([, operation]) => operation.action === action)
        .map(([key]) => sockets.components.messages[key]?.name)
        .sort();
    expect(named('receive')).toEqual(['connect', ...Object.keys(messages)].sort());
    expect(named('send')).toEqual(Object.keys(pushes).sort());
    const methods = Object.values(Object.getOwnPropertyDescriptors(OrdersGateway.prototype)).map(({ value }) => value);
    const subscribed = methods.flatMap((method) => Reflect.getMetadata(MESSAGE_METADATA, method) ?? []);
    expect(subscribed.sort()).toEqual(Object.keys(messages).sort());
  });

  test('list the errors of every route and message', () => {
    for (const [name, row] of Object.entries<RouteRow>(routes)) {
      const operation = http.paths[toTemplate(row.path)]?.[row.method.toLowerCase()];
      const described = Object.values(operation?.responses ?? {}).flatMap((response) => {
        const { description } = recorder.resolve(response);
        return [...description.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
      });
      expect([name, described.sort()]).toEqual([name, errorsOf(row).sort()]);
    }
    for (const [name, row] of Object.entries<MessageRow>(messages)) {
      expect(sockets.operations[name.replace(':', '.')]?.['x-refusals']).toEqual(errorsOf(row));
    }
  });

  test('describe the idempotency headers of commands', () => {
    for (const row of Object.values<RouteRow>(routes)) {
      const operation = http.paths[toTemplate(row.path)]?.[row.method.toLowerCase()];
      const headers = operation?.parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
      const withKey = headers?.filter((name) => name !== 'Acting-For');
      expect(withKey).toEqual(takesKey(row) ? ['Idempotency-Key'] : []);
      // Without a right it is the user's alone.
      expect(headers?.includes('Acting-For')).toBe(row.right !== undefined);
      const success = operation?.responses[row.status ?? 200];
      const headersOfSuccess = (success && recorder.resolve(success).headers) ?? {};
      expect('Idempotency-Replayed' in headersOfSuccess).toBe(takesKey(row));
    }
  });

  test('describe every operation and parameter', () => {
    const summaries = [
      ...Object.values(http.paths).flatMap((operations) => Object.values(operations)),
      ...Object.values(sockets.operations),
    ].map(({ summary }) => summary);
    for (const summary of summaries) expect(summary).toMatch(/^[A-Z].*[.:0-9a-z]$/s);
    const parameters = Object.values(http.paths).flatMap((operations) =>
      Object.values(operations).flatMap((operation) => operation.parameters),
    );
    expect(parameters.filter(({ description }) => description === undefined)).toEqual([]);
  });
});

async function openApiErrors(document: object): Promise<string> {
  const result = await validate(structuredClone(document) as Parameters<typeof validate>[0]);
  return result.valid ? '' : compileErrors(result);
}

async function asyncApiErrors(document: object): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(structuredClone(document) as Input);
  // The parser recommends a newer AsyncAPI version that tools do not support yet.
  return diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version').map(({ message }) => message);
}

interface Layer {
  route?: { path: string; methods: Record<string, boolean> };
}

/** The routes registered in the hub's router. */
function routesServedBy({ hub: { app } }: TestHub): string[] {
  const { stack } = app.getHttpAdapter().getInstance().router as { stack: Layer[] };
  return stack.flatMap(({ route }) =>
    route ? Object.keys(route.methods).map((method) => `${method} ${toTemplate(route.path)}`) : [],
  );
}
