import type { ErrorCode } from '../contract/errors.js';
import { errorsOf } from '../contract/row.js';
import { code, html, join, type Markup, phrase } from './markup.js';
import type { OpenApi } from './openapi.js';
import type { Schema } from './schemas.js';

/** Errors that any request may get. Listing them everywhere would hide the specific ones. */
const common = errorsOf({ isPublic: true });

export function errorLinks(codes: readonly ErrorCode[], needsToken: boolean): Markup | undefined {
  const specific = codes.filter((name) => !common.includes(name) && !(needsToken && name === 'UNAUTHENTICATED'));
  if (specific.length === 0) return undefined;
  return html`<p class="errors">Errors: ${specific.map((name) => html`<a href="#refusal-${name}">${name}</a> `)}</p>`;
}

/** Every error, with the fields of its details. */
export function errorsSection(document: OpenApi): Markup {
  const row = ({ code: name, status, retryable, when }: OpenApi['x-refusals'][number]) => html`<tr id="refusal-${name}">
<th scope="row">${code(name)}</th><td>${status}</td><td>${retryable ? 'yes' : 'no'}</td>
<td>${phrase(when)}${details(document.components.schemas[name])}</td></tr>
`;
  return html`<section id="refusals"><h2>Errors</h2>
<p>An error is <code>{ code, message, retryable, details? }</code>, over HTTP and Socket.IO alike. Any request may get
${join(', ', common.map(code))}; any request that needs a token, <code>UNAUTHENTICATED</code>.
Retryable: the same request with the same key may succeed later.</p>
<table class="error-codes"><thead><tr><th scope="col">code</th><th scope="col">HTTP</th><th scope="col">retryable</th><th scope="col">when, and <code>details</code></th></tr></thead>
<tbody>${document['x-refusals'].map(row)}</tbody></table></section>`;
}

function details(schema: Schema | undefined): Markup | undefined {
  const content = schema?.properties?.details as Schema | undefined;
  const variants = content?.anyOf ?? (content ? [content.items ?? content] : []);
  const lists = variants.map((variant) => join(', ', Object.keys((variant as Schema).properties ?? {}).map(code)));
  return lists.length === 0
    ? undefined
    : html`<br><small>${content?.items ? 'array of ' : ''}${join(' or ', lists)}</small>`;
}
