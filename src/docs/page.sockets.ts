import { type AsyncApi, keyOf, type Message, type Operation } from './asyncapi.js';
import { html, json, type Markup, phrase, prose } from './markup.js';
import type { OpenApi } from './openapi.js';
import { errorLinks } from './page.errors.js';
import { fieldTable, linkToSchema, schemaSummary } from './page.fields.js';
import { routesByTag } from './page.http.js';
import { answerFigure, messageSamples } from './page.samples.js';
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

export function socketsSection(document: AsyncApi, openApi: OpenApi): Markup {
  const { requests, pushes } = socketOperations(document);
  return html`<section id="sockets"><h2>Socket.IO API</h2>
${prose(document.info.description)}
<h3 id="messages">Client messages</h3>
<p>An acknowledgement is <code>{ ok: true, data, seq?, replayed? }</code> or <code>{ ok: false, error, replayed? }</code>.
<code>seq</code> is the number of the resulting event in the caller’s own room.</p>
${requests.map((entry) => article(entry, acknowledgement(document, entry), besideRequest(document, openApi, entry)))}
<h3 id="pushes">Pushes</h3>
${pushes.map((entry) => article(entry))}</section>`;
}

function article({ key, operation, message }: Entry, returned?: Markup, beside?: Markup): Markup {
  return html`<article id="message-${key}"${beside && html` data-message="${message.name}"`}><div>
<h4><code>${message.name}</code></h4>
<p class="summary">${phrase(operation.summary)}</p>
${operation.description === undefined ? undefined : html`<p>${phrase(operation.description)}</p>`}
${fields(message.payload)}${returned}
${errorLinks(operation['x-refusals'] ?? [], true)}</div>
<div class="beside"><figure class="request"><figcaption>${operation.action === 'send' ? 'Push' : 'Request'}</figcaption>
<pre tabindex="0"><code>${json(message.examples[0]?.payload)}</code></pre></figure>${beside}</div></article>
`;
}

/** The acknowledgement as JSON, and the samples; none beside the handshake. */
function besideRequest({ components }: AsyncApi, openApi: OpenApi, { message, operation }: Entry): Markup | undefined {
  const [success] = components.messages[`${keyOf(message.name)}.answer`]?.payload.anyOf ?? [];
  if (!success) return undefined;
  const routes = routesByTag(openApi).flatMap((tag) => tag.routes);
  // A route that does the same is declared with the same row.
  const route = routes.find((other) => other.operation.summary === operation.summary);
  const payload = message.examples[0]?.payload as Record<string, unknown>;
  return html`${answerFigure('Acknowledgement', success as Schema, { components: { ...openApi.components, schemas: components.schemas } })}${messageSamples(message.name, payload, route)}`;
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
