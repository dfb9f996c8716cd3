import { code, html, json, type Markup, type Part, phrase, prose } from './markup.js';
import type { OpenApi, Operation } from './openapi.js';
import { fieldTable, rowTable } from './page.fields.js';
import { refusalLinks } from './page.refusals.js';
import { given } from './page.sockets.js';

export interface Route {
  method: string;
  path: string;
  operation: Operation;
}

/** The routes of each chapter, in the order of the document. */
export function httpChapters({ tags, paths }: OpenApi) {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Route => ({ method: method.toUpperCase(), path, operation })),
  );
  return tags.map((tag) => ({ ...tag, routes: routes.filter(({ operation }) => operation.tags.includes(tag.name)) }));
}

/** What may be said over HTTP. */
export function overHttp(document: OpenApi): Markup {
  return html`<section id="http"><h2>Over HTTP</h2>
<p>An answer’s body is the result itself, or <code>{ "error": … }</code>. A command’s answer carries <code>seq</code> and
<code>replayed</code> in the headers <code>Event-Seq</code> and <code>Idempotency-Replayed</code>.</p>
${httpChapters(document).map(
  ({ name, description, routes }) =>
    html`<h3 id="chapter-${name}">${name}</h3>${prose(description)}${routes.map(article)}`,
)}</section>`;
}

function article({ method, path, operation }: Route): Markup {
  const body = operation.requestBody?.content['application/json'];
  return html`<article id="route-${operation.operationId}"><div>
<h4><code><span class="method method-${method.toLowerCase()}">${method}</span> ${path}</code>${operation.security ? html` <small>open</small>` : ''}</h4>
<p class="says">${phrase(operation.summary)}</p>
${operation.description === undefined ? undefined : html`<p>${phrase(operation.description)}</p>`}
${parameterTable(operation)}${body && fieldTable(body.schema)}${answer(operation)}
${refusalLinks(operation['x-refusals'], !operation.security)}</div>
${body && html`<figure><figcaption>You send</figcaption><pre tabindex="0"><code>${json(body.example)}</code></pre></figure>`}</article>
`;
}

/** What stands in the path and in the query. The key's header is told of once, where it is told what holds everywhere. */
function parameterTable({ parameters }: Operation): Markup | undefined {
  const rows = parameters
    .filter((parameter) => parameter.in !== 'header')
    .map(({ name, required, schema, description = '' }) => ({
      path: name,
      required,
      schema: { ...schema, description },
    }));
  return rows.length === 0 ? undefined : rowTable(rows);
}

/** Status and shape of a success. */
function answer({ responses }: Operation): Markup | undefined {
  const [[status, response] = []] = Object.entries(responses);
  if (status === undefined) return undefined;
  const [[type, media] = []] = Object.entries(response && 'content' in response ? (response.content ?? {}) : {});
  const hasFields = media?.schema.$ref !== undefined || Object.keys(media?.schema.properties ?? {}).length > 0;
  const gives: Part = hasFields ? given(media?.schema ?? {}) : code(type ?? '');
  return html`<p class="gives">Gives <code>${status}</code> ${media && gives}</p>`;
}
