import { type AsyncApi, keyOf, type Message, type Operation } from './asyncapi.js';
import { code, html, join, json, type Markup, phrase, prose } from './markup.js';
import { errorLinks } from './page.errors.js';
import { fieldTable, linkToSchema } from './page.fields.js';
import type { Schema } from './schemas.js';

interface Entry {
  key: string;
  operation: Operation;
  message: Message;
}

/** The operations with their messages: those that clients send, and those that the hub pushes. */
export function socketOperations(document: AsyncApi): { requests: Entry[]; pushes: Entry[] } {
  const entries = Object.entries(document.operations).map(([key, operation]): Entry => {
    const message = document.components.messages[key];
    if (!message) throw new Error(`${key} has no message`);
    return { key, operation, message };
  });
  return {
    requests: entries.filter(({ operation }) => operation.action === 'receive'),
    pushes: entries.filter(({ operation }) => operation.action === 'send'),
  };
}

export function socketsSection(document: AsyncApi): Markup {
  const { requests, pushes } = socketOperations(document);
  return html`<section id="sockets"><h2>Socket.IO API</h2>
${prose(document.info.description)}
<h3 id="messages">Client messages</h3>
<p>An acknowledgement is <code>{ ok: true, data, seq?, replayed? }</code> or <code>{ ok: false, error, replayed? }</code>.
<code>seq</code> is the number of the resulting event in the caller’s own room.</p>
${requests.map((entry) => article(entry, acknowledgement(document, entry)))}
<h3 id="pushes">Pushes</h3>
${pushes.map((entry) => article(entry))}</section>`;
}

function article({ key, operation, message }: Entry, returned?: Markup): Markup {
  return html`<article id="message-${key}"><div>
<h4><code>${message.name}</code></h4>
<p class="summary">${phrase(operation.summary)}</p>
${operation.description === undefined ? undefined : html`<p>${phrase(operation.description)}</p>`}
${fields(message.payload)}${returned}
${errorLinks(operation['x-refusals'] ?? [], true)}</div>
<figure><figcaption>${operation.action === 'send' ? 'Push' : 'Request'}</figcaption>
<pre tabindex="0"><code>${json(message.examples[0]?.payload)}</code></pre></figure></article>
`;
}

function fields(payload: Schema): Markup | undefined {
  return payload.$ref === undefined ? fieldTable(payload) : html`<p>Fields: ${linkToSchema(payload.$ref)}</p>`;
}

/** The data of a successful acknowledgement. */
function acknowledgement({ components }: AsyncApi, { message }: Entry): Markup | undefined {
  const [success] = components.messages[`${keyOf(message.name)}.answer`]?.payload.anyOf ?? [];
  const data = (success as Schema | undefined)?.properties?.data as Schema | undefined;
  return data && html`<p class="returns">Returns ${schemaSummary(data)}</p>`;
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
