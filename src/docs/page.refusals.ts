import type { RefusalCode } from '../contract/errors.js';
import { refusalsOf } from '../contract/row.js';
import { between, code, html, type Markup, phrase } from './markup.js';
import type { OpenApi } from './openapi.js';
import type { Schema } from './schemas.js';

/** They may answer any message, so that naming them each time would hide the others. */
const everyday = refusalsOf({ open: true });

export function refusalLinks(codes: readonly RefusalCode[], needsToken: boolean): Markup | undefined {
  const own = codes.filter((name) => !everyday.includes(name) && !(needsToken && name === 'UNAUTHENTICATED'));
  if (own.length === 0) return undefined;
  return html`<p class="refused">Refused with ${own.map((name) => html`<a href="#refusal-${name}">${name}</a> `)}</p>`;
}

/** Every refusal, and what its details hold. */
export function allRefusals(document: OpenApi): Markup {
  const row = ({ code: name, status, retryable, when }: OpenApi['x-refusals'][number]) => html`<tr id="refusal-${name}">
<th scope="row">${code(name)}</th><td>${status}</td><td>${retryable ? 'yes' : 'no'}</td>
<td>${phrase(when)}${details(document.components.schemas[name])}</td></tr>
`;
  return html`<section id="refusals"><h2>Refusals</h2>
<p>An error is <code>{ code, message, retryable, details? }</code>, over both ways. ${between(', ', everyday.map(code))}
may answer any message, <code>UNAUTHENTICATED</code> any that needs a token. Retryable: the same message, with the same key, can succeed later.</p>
<table class="refusals"><thead><tr><th scope="col">code</th><th scope="col">HTTP</th><th scope="col">retryable</th><th scope="col">when, and <code>details</code></th></tr></thead>
<tbody>${document['x-refusals'].map(row)}</tbody></table></section>`;
}

function details(schema: Schema | undefined): Markup | undefined {
  const held = schema?.properties?.details as Schema | undefined;
  const forms = held?.anyOf ?? (held ? [held.items ?? held] : []);
  const list = forms.map((form) => between(', ', Object.keys((form as Schema).properties ?? {}).map(code)));
  return list.length === 0
    ? undefined
    : html`<br><small>${held?.items ? 'a list of ' : ''}${between(' or ', list)}</small>`;
}
