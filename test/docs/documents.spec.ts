import { type Input, Parser } from '@asyncapi/parser';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compileErrors, validate } from '@readme/openapi-parser';
import { type MessageRow, type RouteRow, refusalsOf, takesKey } from '../../src/contract/row.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { asyncApi } from '../../src/docs/asyncapi.js';
import { openApi } from '../../src/docs/openapi.js';
import { OrdersGateway } from '../../src/orders/orders.gateway.js';
import { TestHub } from '../support/hub.js';
import { Witness } from './witness.js';

/** A path as the document writes it. */
const templated = (path: string) => path.replace(/:(\w+)/g, '{$1}');

describe('the API documents', () => {
  let hub: TestHub;
  let http: ReturnType<typeof openApi>;
  let sockets: ReturnType<typeof asyncApi>;
  let witness: Witness;

  beforeAll(async () => {
    hub = await TestHub.start();
    witness = await Witness.of(hub.url);
    ({ http, sockets } = witness);
  });
  afterAll(() => hub.stop());

  test('are what the contract makes, whole, for anybody who asks', async () => {
    expect(http).toEqual(JSON.parse(JSON.stringify(openApi())));
    expect(sockets).toEqual(JSON.parse(JSON.stringify(asyncApi())));
  });

  test('OpenAPI’s own rules find nothing wrong', async () => {
    expect(http.openapi).toBe('3.1.0');
    expect(await faultsOfOpenApi(http)).toBe('');
  });

  test('those rules would find what is wrong', async () => {
    const unknown = structuredClone(http);
    Object.assign(unknown.paths['/wallet']?.get ?? {}, { answers: {} });
    const nameless = structuredClone(http);
    for (const parameter of nameless.paths['/orders/{orderId}']?.get?.parameters ?? []) parameter.name = 'other';
    for (const broken of [unknown, nameless]) expect(await faultsOfOpenApi(broken)).not.toBe('');
  });

  test('AsyncAPI’s own parser finds nothing wrong', async () => {
    expect(sockets.asyncapi).toBe('3.0.0');
    expect(await faultsOfAsyncApi(sockets)).toEqual([]);
  });

  test('that parser would find what is wrong', async () => {
    const broken = structuredClone(sockets);
    Object.assign(broken.operations['order.pay'] ?? {}, { action: 'hear' });
    expect(await faultsOfAsyncApi(broken)).not.toEqual([]);
  });

  test('every route has its document, and every document its route', () => {
    const documented = Object.entries(http.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { operationId }]) => [operationId, method, path]),
    );
    const listed = Object.entries<RouteRow>(routes).map(([name, { method, path }]) => [
      name,
      method.toLowerCase(),
      templated(path),
    ]);
    expect(documented.sort()).toEqual(listed.sort());
  });

  test('the hub serves every route that is documented, and no other', () => {
    const documented = Object.entries(http.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(routesServedBy(hub).sort()).toEqual(documented.sort());
  });

  test('every message and every push has its document, and every document one of them', () => {
    const named = (action: string) =>
      Object.entries(sockets.operations)
        .filter(([, operation]) => operation.action === action)
        .map(([key]) => sockets.components.messages[key]?.name)
        .sort();
    expect(named('receive')).toEqual(['connect', ...Object.keys(messages)].sort());
    expect(named('send')).toEqual(Object.keys(pushes).sort());
    const handled = Object.getOwnPropertyNames(OrdersGateway.prototype).filter((name) => name.includes(':'));
    expect(handled.sort()).toEqual(Object.keys(messages).sort());
  });

  test('every refusal that a row names is documented with its status, beside those that any message may get', () => {
    for (const [name, row] of Object.entries<RouteRow>(routes)) {
      const operation = http.paths[templated(row.path)]?.[row.method.toLowerCase()];
      const described = Object.values(operation?.responses ?? {}).flatMap((response) => {
        const { description } = witness.resolved(response);
        return [...description.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
      });
      expect([name, described.sort()]).toEqual([name, refusalsOf(row).sort()]);
    }
    for (const [name, row] of Object.entries<MessageRow>(messages)) {
      expect(sockets.operations[name.replace(':', '.')]?.['x-refusals']).toEqual(refusalsOf(row));
    }
  });

  test('a command has its key in a header, and tells whether it is answered again', () => {
    for (const row of Object.values<RouteRow>(routes)) {
      const operation = http.paths[templated(row.path)]?.[row.method.toLowerCase()];
      const headers = operation?.parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
      expect(headers).toEqual(takesKey(row) ? ['Idempotency-Key'] : []);
      const success = operation?.responses[row.status ?? 200];
      const told = (success && witness.resolved(success).headers) ?? {};
      expect('Idempotency-Replayed' in told).toBe(takesKey(row));
    }
  });

  test('everything says what it is', () => {
    const said = [
      ...Object.values(http.paths).flatMap((operations) => Object.values(operations)),
      ...Object.values(sockets.operations),
    ].map(({ summary }) => summary);
    for (const sentence of said) expect(sentence).toMatch(/^[A-Z].*[.:0-9a-z]$/s);
    const parameters = Object.values(http.paths).flatMap((operations) =>
      Object.values(operations).flatMap((operation) => operation.parameters),
    );
    expect(parameters.filter(({ description }) => description === undefined)).toEqual([]);
  });
});

async function faultsOfOpenApi(document: object): Promise<string> {
  const result = await validate(structuredClone(document) as Parameters<typeof validate>[0]);
  return result.valid ? '' : compileErrors(result);
}

async function faultsOfAsyncApi(document: object): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(structuredClone(document) as Input);
  // It would rather have a newer version of AsyncAPI, whose tools are still to come.
  return diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version').map(({ message }) => message);
}

interface Layer {
  route?: { path: string; methods: Record<string, boolean> };
}

/** What the hub's router answers to, asked of the router itself. */
function routesServedBy({ hub: { app } }: TestHub): string[] {
  const { stack } = app.getHttpAdapter().getInstance().router as { stack: Layer[] };
  return stack.flatMap(({ route }) =>
    route ? Object.keys(route.methods).map((method) => `${method} ${templated(route.path)}`) : [],
  );
}
