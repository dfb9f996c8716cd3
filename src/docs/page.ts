import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AsyncApi } from './asyncapi.js';
import { exampleOf } from './examples.js';
import { html, json, Markup, type Part, prose } from './markup.js';
import type { OpenApi } from './openapi.js';
import { fieldTable } from './page.fields.js';
import { httpChapters, overHttp } from './page.http.js';
import { lifeOfAnOrder } from './page.life.js';
import { allRefusals } from './page.refusals.js';
import { overSockets, socketEntries } from './page.sockets.js';

/**
 * Both documents as one page: no script, no request but its own, links relative to wherever it is served. Written here,
 * because the well-known viewers show one kind of document, bring megabytes of scripts, and ask for `unsafe-inline`.
 */
export function renderPage(openApi: OpenApi, asyncApi: AsyncApi): { text: string; securityPolicy: string } {
  // By its folder: the file that the build makes of all stands in another (`scripts/bundle.mjs`).
  const style = readFileSync(new URL('../docs/page.css', import.meta.url), 'utf8');
  const hash = createHash('sha256').update(style).digest('base64');
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Order hub: how to speak to it</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>${new Markup(style)}</style></head>
<body><a class="skip" href="#start">Skip to the text</a>
<header><p class="kicker">contract ${openApi.info.version.split('.')[0]}</p><h1>Order hub</h1>
<p class="lead">Every command takes effect exactly once. Every party hears every change of its orders, once, in order, without a gap.</p>
<p class="sources"><a href="openapi.json">openapi.json</a> <a href="asyncapi.json">asyncapi.json</a></p></header>
<nav aria-label="Contents">${contents(openApi, asyncApi)}</nav>
<main>${[start(openApi, asyncApi), lifeOfAnOrder(asyncApi['x-order-lifecycle']), overSockets(asyncApi), overHttp(openApi), shapes(openApi), allRefusals(openApi)]}</main>
</body></html>
`;
  const securityPolicy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return { text: page.text, securityPolicy };
}

function contents(openApi: OpenApi, asyncApi: AsyncApi): Markup {
  const { heard, told } = socketEntries(asyncApi);
  const item = (href: string, label: Part, inner?: Markup[]) =>
    html`<li><a href="#${href}">${label}</a>${inner && html`<ol>${inner}</ol>`}</li>`;
  const messages = (entries: typeof heard) => entries.map(({ key, message }) => item(`message-${key}`, message.name));
  const chapters = httpChapters(openApi).map(({ name, routes }) =>
    item(
      `chapter-${name}`,
      name,
      routes.map(({ method, path, operation }) =>
        item(`route-${operation.operationId}`, [
          html`<span class="method method-${method.toLowerCase()}">${method}</span> `,
          path,
        ]),
      ),
    ),
  );
  return html`<ol>
${item('start', 'Start')}${item('life', 'Life of an order')}
${item('sockets', 'Socket.IO', [item('messages', 'A client says', messages(heard)), item('pushes', 'The hub says', messages(told))])}
${item('http', 'HTTP', chapters)}${item('shapes', 'Shapes')}${item('refusals', 'Refusals')}</ol>`;
}

/** The first minute: a user, a token, a socket, an order. */
function start(openApi: OpenApi, asyncApi: AsyncApi): Markup {
  const sent = (path: string) => openApi.paths[path]?.post?.requestBody?.content['application/json']?.example;
  const example = (key: string) => asyncApi.components.messages[key]?.examples[0]?.payload;
  const curl = (path: string) =>
    html`curl $HUB${path} -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(sent(path))}'\n`;
  return html`<section id="start"><h2>Start</h2>
<div class="pair"><figure><figcaption>Register, and log in for a token</figcaption><pre tabindex="0"><code>${curl('/auth/register')}${curl('/auth/login')}</code></pre></figure>
<figure><figcaption>Open a socket, and order</figcaption><pre tabindex="0"><code>const socket = io(HUB, { auth: { token } });
socket.on('order:status', (event) => show(event));
const answer = await socket.emitWithAck('order:place', ${json(example('order.place'))});</code></pre></figure></div>
<h3>What holds everywhere</h3>${prose(openApi.info.description)}</section>`;
}

/** The shapes that have a name, but for the errors, which have a table of their own. */
function shapes({ components: { schemas }, 'x-refusals': refusals }: OpenApi): Markup {
  const codes: string[] = refusals.map(({ code }) => code);
  const article = ([name, schema]: [string, (typeof schemas)[string]]) => html`<article id="shape-${name}"><div>
<h3>${name}</h3>${fieldTable(schema)}</div>
<figure><figcaption>An example</figcaption><pre tabindex="0"><code>${json(exampleOf(schema, schemas))}</code></pre></figure></article>
`;
  return html`<section id="shapes"><h2>Shapes</h2>${Object.entries(schemas)
    .filter(([name]) => !codes.includes(name))
    .map(article)}</section>`;
}
