import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AsyncApi } from './asyncapi.js';
import { exampleOf } from './examples.js';
import { html, json, Markup, type Part, prose } from './markup.js';
import type { OpenApi } from './openapi.js';
import { errorsSection } from './page.errors.js';
import { fieldTable } from './page.fields.js';
import { httpSection, routesByTag } from './page.http.js';
import { lifecycleSection } from './page.lifecycle.js';
import { socketOperations, socketsSection } from './page.sockets.js';

/**
 * Both documents as one HTML page, without subresources, with its own script and with relative links only. The usual viewers show one
 * kind of document, load megabytes of scripts, and need `unsafe-inline`.
 */
export function renderPage(openApi: OpenApi, asyncApi: AsyncApi): { text: string; securityPolicy: string } {
  // Named with its folder, because the bundle (`scripts/build/bundle.mjs`) is in another one.
  const style = readFileSync(new URL('../docs/page.css', import.meta.url), 'utf8');
  const script = readFileSync(new URL('../docs/page.script.js', import.meta.url), 'utf8');
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Order hub API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>${new Markup(style)}</style></head>
<body><a class="skip" href="#start">Skip to content</a>
<header><p class="kicker">contract version ${openApi.info.version.split('.')[0]}</p><h1>Order hub API</h1>
<p class="lead">Every command takes effect exactly once. Buyers and sellers receive every change of their orders once, in order, without gaps.</p>
<p class="sources"><a href="openapi.json">openapi.json</a> <a href="asyncapi.json">asyncapi.json</a></p></header>
<nav aria-label="Contents"><search hidden><input type="search" aria-label="Search" placeholder="Search"> <output></output></search>${contents(openApi, asyncApi)}</nav>
<main>${[startSection(openApi, asyncApi), lifecycleSection(asyncApi['x-order-lifecycle']), socketsSection(asyncApi, openApi), httpSection(openApi), schemasSection(openApi), errorsSection(openApi)]}</main>
<script>${new Markup(script)}</script></body></html>
`;
  const securityPolicy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return { text: page.text, securityPolicy };
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function contents(openApi: OpenApi, asyncApi: AsyncApi): Markup {
  const { requests, pushes } = socketOperations(asyncApi);
  const item = (href: string, label: Part, inner?: Markup[]) =>
    html`<li><a href="#${href}">${label}</a>${inner && html`<ol>${inner}</ol>`}</li>`;
  const messages = (entries: typeof requests) =>
    entries.map(({ key, message }) => item(`message-${key}`, message.name));
  const tags = routesByTag(openApi).map(({ name, routes }) =>
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
${item('start', 'Quick start')}${item('life', 'Order lifecycle')}
${item('sockets', 'Socket.IO', [item('messages', 'Client messages', messages(requests)), item('pushes', 'Pushes', messages(pushes))])}
${item('http', 'HTTP', tags)}${item('shapes', 'Schemas')}${item('refusals', 'Errors')}</ol>`;
}

/** The quick start: a user, a token, a socket and an order. */
function startSection(openApi: OpenApi, asyncApi: AsyncApi): Markup {
  const bodyOf = (path: string) => openApi.paths[path]?.post?.requestBody?.content['application/json']?.example;
  const example = (key: string) => asyncApi.components.messages[key]?.examples[0]?.payload;
  const curl = (path: string) =>
    html`curl $HUB${path} -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(bodyOf(path))}'\n`;
  return html`<section id="start"><h2>Quick start</h2>
<div class="pair"><figure><figcaption>Register, then log in to get a token</figcaption><pre tabindex="0"><code>${curl('/auth/register')}${curl('/auth/login')}</code></pre></figure>
<figure><figcaption>Open a socket and place an order</figcaption><pre tabindex="0"><code>const socket = io(HUB, { auth: { token } });
socket.on('order:status', (event) => show(event));
const answer = await socket.emitWithAck('order:place', ${json(example('order.place'))});</code></pre></figure></div>
<h3>Conventions</h3>${prose(openApi.info.description)}</section>`;
}

/** The named schemas, except the errors: those have their own section. */
function schemasSection({ components: { schemas }, 'x-refusals': errors }: OpenApi): Markup {
  const codes: string[] = errors.map(({ code }) => code);
  const article = ([name, schema]: [string, (typeof schemas)[string]]) => html`<article id="shape-${name}"><div>
<h3>${name}</h3>${fieldTable(schema)}</div>
<figure><figcaption>Example</figcaption><pre tabindex="0"><code>${json(exampleOf(schema, schemas))}</code></pre></figure></article>
`;
  return html`<section id="shapes"><h2>Schemas</h2>${Object.entries(schemas)
    .filter(([name]) => !codes.includes(name))
    .map(article)}</section>`;
}
