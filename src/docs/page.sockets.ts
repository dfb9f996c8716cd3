import { type AsyncApi, keyOf, type Message, type Operation } from './asyncapi.js';
import { between, code, html, json, type Markup, phrase, prose } from './markup.js';
import { fieldTable, linkToShape } from './page.fields.js';
import { refusalLinks } from './page.refusals.js';
import type { Schema } from './schemas.js';

interface Entry {
  key: string;
  operation: Operation;
  message: Message;
}

export function socketEntries(document: AsyncApi): { heard: Entry[]; told: Entry[] } {
  const entries = Object.entries(document.operations).map(([key, operation]): Entry => {
    const message = document.components.messages[key];
    if (!message) throw new Error(`${key} has no message`);
    return { key, operation, message };
  });
  return {
    heard: entries.filter(({ operation }) => operation.action === 'receive'),
    told: entries.filter(({ operation }) => operation.action === 'send'),
  };
}

/** What may be said over Socket.IO, and what the hub says by itself. */
export function overSockets(document: AsyncApi): Markup {
  const { heard, told } = socketEntries(document);
  return html`<section id="sockets"><h2>Over Socket.IO</h2>
${prose(document.info.description)}
<h3 id="messages">What a client says</h3>
<p>An answer is <code>{ ok: true, data, seq?, replayed? }</code> or <code>{ ok: false, error, replayed? }</code>.
<code>seq</code> is the number of the caller’s own event about it.</p>
${heard.map((entry) => article(entry, answer(document, entry)))}
<h3 id="pushes">What the hub says</h3>
${told.map((entry) => article(entry))}</section>`;
}

function article({ key, operation, message }: Entry, answer?: Markup): Markup {
  return html`<article id="message-${key}"><div>
<h4><code>${message.name}</code></h4>
<p class="says">${phrase(operation.summary)}</p>
${operation.description === undefined ? undefined : html`<p>${phrase(operation.description)}</p>`}
${fields(message.payload)}${answer}
${refusalLinks(operation['x-refusals'] ?? [], true)}</div>
<figure><figcaption>${operation.action === 'send' ? 'You hear' : 'You send'}</figcaption>
<pre tabindex="0"><code>${json(message.examples[0]?.payload)}</code></pre></figure></article>
`;
}

function fields(payload: Schema): Markup | undefined {
  return payload.$ref === undefined ? fieldTable(payload) : html`<p>Fields: ${linkToShape(payload.$ref)}</p>`;
}

/** What the acknowledgement carries when it says yes. */
function answer({ components }: AsyncApi, { message }: Entry): Markup | undefined {
  const [accepted] = components.messages[`${keyOf(message.name)}.answer`]?.payload.anyOf ?? [];
  const data = (accepted as Schema | undefined)?.properties?.data as Schema | undefined;
  return data && html`<p class="gives">Gives ${given(data)}</p>`;
}

/** A shape by its name; one that has none, by the names of its fields. */
export function given(schema: Schema): Markup {
  if (schema.$ref !== undefined) return linkToShape(schema.$ref);
  const fields = Object.entries(schema.properties ?? {}) as [string, Schema][];
  const parts = fields.map(([name, field]) => {
    const of = (field.items as Schema | undefined)?.$ref ?? field.$ref;
    return of === undefined ? code(name) : [code(name), ': ', linkToShape(of), field.items ? ' …' : ''];
  });
  return html`{ ${between(', ', parts)} }`;
}
