import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { AsyncApi } from '../../src/docs/asyncapi.js';
import type { OpenApi } from '../../src/docs/openapi.js';
import type { Response, Responses } from '../../src/docs/openapi.responses.js';
import type { Schema } from '../../src/docs/schemas.js';
import type { HttpAnswer, Person } from '../support/person.js';

/** Sends requests to a hub and validates every message against the API documents that the hub serves. */
export class ResponseRecorder {
  private readonly ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    validateSchema: false,
  });
  private readonly validators = new Map<Schema, ValidateFunction>();
  /** Operations, messages and pushes that succeeded, and the error codes received. */
  readonly succeeded = new Set<string>();
  readonly refused = new Set<string>();

  constructor(
    readonly http: OpenApi,
    readonly sockets: AsyncApi,
  ) {
    addFormats.default(this.ajv);
  }

  static async of(url: string): Promise<ResponseRecorder> {
    const read = async (path: string) => (await fetch(url + path)).json();
    return new ResponseRecorder((await read('/openapi.json')) as OpenApi, (await read('/asyncapi.json')) as AsyncApi);
  }

  /** Sends an HTTP request. Throws unless the document describes the response: status, headers, media type and body. */
  async request<Body = unknown>(
    person: Person,
    endpoint: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<HttpAnswer<Body>> {
    const [method = '', url = ''] = endpoint.split(' ');
    const operation = this.operationOf(method, url.split('?')[0] ?? '');
    const answer = await person.request<Body>(method, url, body, headers);
    const documented = operation.responses[answer.status];
    if (!documented) throw new Error(`${endpoint} answered ${answer.status}, which is not documented`);
    const response = this.resolve(documented);
    for (const name of ['Event-Seq', 'Idempotency-Replayed', 'Retry-After']) {
      if (answer.headers.has(name) && !response.headers?.[name])
        throw new Error(`${endpoint}: ${name} is not documented`);
    }
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    const media = response.content?.[type];
    if (Boolean(media) !== Boolean(type)) throw new Error(`${endpoint} answered with ${type}, which is not documented`);
    if (media) this.check('http', media.schema, answer.body, endpoint);
    const isSuccess = answer.status < 300;
    const requestBody = operation.requestBody?.content['application/json'];
    if (isSuccess && requestBody) this.check('http', requestBody.schema, body, endpoint);
    if (isSuccess) this.succeeded.add(operation.operationId);
    else this.refused.add((answer.body as { error: { code: string } }).error.code);
    return answer;
  }

  /** Sends a message. Throws unless the document describes the acknowledgement. */
  async send<Answer extends { ok: boolean }>(person: Person, message: string, request: object): Promise<Answer> {
    const answer = (await person.sendRaw(message, request)) as unknown as Answer;
    const key = message.replace(':', '.');
    this.expectMatch('sockets', ['components', 'messages', `${key}.answer`, 'payload'], answer);
    if (answer.ok) {
      this.receive(message, request);
      this.succeeded.add(message);
    }
    return answer;
  }

  /** Validates a message or push of this name. */
  receive(name: string, payload: unknown): void {
    this.expectMatch('sockets', ['components', 'messages', name.replace(':', '.'), 'payload'], payload);
    this.succeeded.add(name);
  }

  /** Resolves a reference to a shared response. */
  resolve(response: Responses[string]): Response {
    if (!('$ref' in response)) return response;
    const shared = this.http.components.responses[response.$ref.split('/').at(-1) ?? ''];
    if (!shared) throw new Error(`${response.$ref} does not exist`);
    return shared;
  }

  /** Validates a value against the schema at a path of a document. */
  expectMatch(document: 'http' | 'sockets', path: string[], value: unknown): void {
    let schema: unknown = this[document];
    for (const segment of path) schema = (schema as Record<string, unknown> | undefined)?.[segment];
    if (schema === undefined) throw new Error(`${path.join(' ')} is not documented`);
    this.check(document, schema as Schema, value, path.join(' '));
  }

  private check(document: 'http' | 'sockets', schema: Schema, value: unknown, location: string): void {
    const errors = this.errorsOf(document, schema, value);
    if (errors !== '') throw new Error(`${location}: ${errors} in ${JSON.stringify(value)}`);
  }

  /** The validation errors of a value; empty if it is valid. */
  errorsOf(document: 'http' | 'sockets', schema: Schema, value: unknown): string {
    const validate = this.validators.get(schema) ?? this.compile(document, schema);
    this.validators.set(schema, validate);
    return validate(value) ? '' : this.ajv.errorsText(validate.errors);
  }

  private compile(document: 'http' | 'sockets', schema: Schema): ValidateFunction {
    const standalone = JSON.stringify({ ...schema, $defs: this[document].components.schemas });
    return this.ajv.compile(JSON.parse(standalone.replaceAll('#/components/schemas/', '#/$defs/')));
  }

  private operationOf(method: string, url: string) {
    for (const [path, operations] of Object.entries(this.http.paths)) {
      const operation = operations[method.toLowerCase()];
      const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
      if (operation && pattern.test(url)) return operation;
    }
    throw new Error(`${method} ${url} is not documented`);
  }
}
