import { code, html, json, type Markup, type Part, phrase, prose } from './markup.js';
import type { OpenApi, Operation } from './openapi.js';
import { errorLinks } from './page.errors.js';
import { fieldTable, rowTable, schemaSummary } from './page.fields.js';
import { answerFigure, exampleRequest, httpSamples, type Route } from './page.samples.js';

/** The tags with their routes, in the order of the document. */
export function routesByTag({ tags, paths }: OpenApi) {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Route => ({ method: method.toUpperCase(), path, operation })),
  );
  return tags.map((tag) => ({ ...tag, routes: routes.filter(({ operation }) => operation.tags.includes(tag.name)) }));
}

export function httpSection(document: OpenApi): Markup {
  return html`<section id="http"><h2>HTTP API</h2>
<p>The body of a response is the data itself, or <code>{ "error": … }</code>. For commands, <code>seq</code> and
<code>replayed</code> are in the headers <code>Event-Seq</code> and <code>Idempotency-Replayed</code>.</p>
${routesByTag(document).map(
  ({ name, description, routes }) =>
    html`<h3 id="chapter-${name}">${name}</h3>${prose(description)}${routes.map((route) => article(route, document))}`,
)}</section>`;
}

function article(route: Route, document: OpenApi): Markup {
  const { method, path, operation } = route;
  const body = operation.requestBody?.content['application/json'];
  return html`<article id="route-${operation.operationId}" data-method="${method}" data-path="${exampleRequest(route).path}"><div>
<h4><code><span class="method method-${method.toLowerCase()}">${method}</span> ${path}</code>${operation.security ? html` <small>public</small>` : ''}</h4>
<p class="summary">${phrase(operation.summary)}</p>
${operation.description === undefined ? undefined : html`<p>${phrase(operation.description)}</p>`}
${parameterTable(operation)}${body && fieldTable(body.schema)}${success(operation)}
${errorLinks(operation['x-refusals'], !operation.security)}</div>
<div class="beside">${body && html`<figure class="request"><figcaption>Request body</figcaption><pre tabindex="0"><code>${json(body.example)}</code></pre></figure>`}
${answer(operation, document)}${httpSamples(route)}</div></article>
`;
}

/** The path and query parameters. The key's header applies to every command and is described once, under Conventions. */
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

/** The status of a success, the media type and the schema of its body. */
function successOf({ responses }: Operation) {
  const [[status, response] = []] = Object.entries(responses);
  const [[type, media] = []] = Object.entries(response && 'content' in response ? (response.content ?? {}) : {});
  return { status, type, media };
}

function answer(operation: Operation, document: OpenApi): Markup | undefined {
  const { status, type, media } = successOf(operation);
  return media && type === 'application/json' ? answerFigure(`Answer ${status}`, media.schema, document) : undefined;
}

function success(operation: Operation): Markup | undefined {
  const { status, type, media } = successOf(operation);
  if (status === undefined) return undefined;
  const hasFields = media?.schema.$ref !== undefined || Object.keys(media?.schema.properties ?? {}).length > 0;
  const content: Part = hasFields ? schemaSummary(media?.schema ?? {}) : code(type ?? '');
  return html`<p class="returns">Returns <code>${status}</code> ${media && content}</p>`;
}
