import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { AsyncApi } from '../../src/docs/asyncapi.js';
import type { OpenApi } from '../../src/docs/openapi.js';
import type { Response, Responses } from '../../src/docs/openapi.responses.js';
import type { Schema } from '../../src/docs/schemas.js';
import type { HttpAnswer, Person } from '../support/person.js';

/** Reads along what is said with a hub, and holds it against the documents that the hub itself serves. */
export class Witness {
  private readonly ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    validateSchema: false,
  });
  private readonly validators = new Map<Schema, ValidateFunction>();
  /** What was done with success, and the codes that were refused with. */
  readonly done = new Set<string>();
  readonly refused = new Set<string>();

  constructor(
    readonly http: OpenApi,
    readonly sockets: AsyncApi,
  ) {
    addFormats.default(this.ajv);
  }

  static async of(url: string): Promise<Witness> {
    const read = async (path: string) => (await fetch(url + path)).json();
    return new Witness((await read('/openapi.json')) as OpenApi, (await read('/asyncapi.json')) as AsyncApi);
  }

  /** Asks over HTTP, and gives the answer if the document describes it: status, headers, media type and body. */
  async ask<Body = unknown>(
    person: Person,
    request: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<HttpAnswer<Body>> {
    const [method = '', address = ''] = request.split(' ');
    const operation = this.operationOf(method, address.split('?')[0] ?? '');
    const answer = await person.request<Body>(method, address, body, headers);
    const documented = operation.responses[answer.status];
    if (!documented) throw new Error(`${request} answered ${answer.status}, which is not documented`);
    const response = this.resolved(documented);
    for (const name of ['Event-Seq', 'Idempotency-Replayed', 'Retry-After']) {
      if (answer.headers.has(name) && !response.headers?.[name])
        throw new Error(`${request}: ${name} is not documented`);
    }
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    const media = response.content?.[type];
    if (Boolean(media) !== Boolean(type)) throw new Error(`${request} gave ${type}, which is not documented`);
    if (media) this.accepts('http', media.schema, answer.body, request);
    const accepted = answer.status < 300;
    const asked = operation.requestBody?.content['application/json'];
    if (accepted && asked) this.accepts('http', asked.schema, body, request);
    if (accepted) this.done.add(operation.operationId);
    else this.refused.add((answer.body as { error: { code: string } }).error.code);
    return answer;
  }

  /** Sends over the socket, and gives the acknowledgement if the document describes it. */
  async send<Answer extends { ok: boolean }>(person: Person, message: string, request: object): Promise<Answer> {
    const answer = (await person.sendRaw(message, request)) as unknown as Answer;
    const key = message.replace(':', '.');
    this.holds('sockets', ['components', 'messages', `${key}.answer`, 'payload'], answer);
    if (answer.ok) {
      this.hears(message, request);
      this.done.add(message);
    }
    return answer;
  }

  /** What was heard, or said, under this name is what the document describes. */
  hears(name: string, payload: unknown): void {
    this.holds('sockets', ['components', 'messages', name.replace(':', '.'), 'payload'], payload);
    this.done.add(name);
  }

  /** A response that is described once for many routes. */
  resolved(response: Responses[string]): Response {
    if (!('$ref' in response)) return response;
    const shared = this.http.components.responses[response.$ref.split('/').at(-1) ?? ''];
    if (!shared) throw new Error(`${response.$ref} leads nowhere`);
    return shared;
  }

  /** A value is what the shape at this place of a document says. */
  holds(document: 'http' | 'sockets', place: string[], value: unknown): void {
    let shape: unknown = this[document];
    for (const step of place) shape = (shape as Record<string, unknown> | undefined)?.[step];
    if (shape === undefined) throw new Error(`${place.join(' ')} is not documented`);
    this.accepts(document, shape as Schema, value, place.join(' '));
  }

  private accepts(document: 'http' | 'sockets', shape: Schema, value: unknown, where: string): void {
    const faults = this.faultsOf(document, shape, value);
    if (faults !== '') throw new Error(`${where}: ${faults} in ${JSON.stringify(value)}`);
  }

  /** What is wrong with a value, by a shape of a document; nothing is the empty text. */
  faultsOf(document: 'http' | 'sockets', shape: Schema, value: unknown): string {
    const validate = this.validators.get(shape) ?? this.compile(document, shape);
    this.validators.set(shape, validate);
    return validate(value) ? '' : this.ajv.errorsText(validate.errors);
  }

  private compile(document: 'http' | 'sockets', shape: Schema): ValidateFunction {
    const alone = JSON.stringify({ ...shape, $defs: this[document].components.schemas });
    return this.ajv.compile(JSON.parse(alone.replaceAll('#/components/schemas/', '#/$defs/')));
  }

  private operationOf(method: string, address: string) {
    for (const [path, operations] of Object.entries(this.http.paths)) {
      const operation = operations[method.toLowerCase()];
      const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
      if (operation && pattern.test(address)) return operation;
    }
    throw new Error(`${method} ${address} is not documented`);
  }
}
