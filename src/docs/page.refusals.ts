import type { RefusalCode } from '../contract/errors.js';
import { html, type Markup, phrase } from './markup.js';
import type { OpenApi } from './openapi.js';
import type { Schema } from './schemas.js';

/** They may answer any message, so that naming them each time would hide the others. */
const everyday: readonly RefusalCode[] = ['BAD_MESSAGE', 'RATE_LIMITED', 'OVERLOADED', 'UNAVAILABLE', 'INTERNAL'];

export function refusalLinks(codes: readonly RefusalCode[], needsToken: boolean): Markup | undefined {
  const own = codes.filter((code) => !everyday.includes(code) && !(needsToken && code === 'UNAUTHENTICATED'));
  if (own.length === 0) return undefined;
  return html`<p class="refused">Refused with ${own.map((code) => html`<a href="#refusal-${code}">${code}</a> `)}</p>`;
}

/** Every refusal, and what its details hold. */
export function allRefusals(document: OpenApi): Markup {
  const row = ({ code, status, retryable, when }: OpenApi['x-refusals'][number]) => html`<tr id="refusal-${code}">
<th scope="row"><code>${code}</code></th><td>${status}</td><td>${retryable ? 'yes' : 'no'}</td><td>${phrase(when)}${details(document.components.schemas[code])}</td></tr>
`;
  return html`<section id="refusals"><h2>Refusals</h2>
<p>An error is <code>{ code, message, retryable, details? }</code>, over both ways. ${everyday.map((code, index) => [index === 0 ? '' : ', ', html`<code>${code}</code>`])}
may answer any message, <code>UNAUTHENTICATED</code> any that needs a token. Retryable: the same message, with the same key, can succeed later.</p>
<table class="refusals"><thead><tr><th scope="col">code</th><th scope="col">HTTP</th><th scope="col">retryable</th><th scope="col">when, and <code>details</code></th></tr></thead>
<tbody>${document['x-refusals'].map(row)}</tbody></table></section>`;
}

function details(schema: Schema | undefined): Markup | undefined {
  const held = schema?.properties?.details as Schema | undefined;
  const forms = held?.anyOf ?? (held ? [held.items ?? held] : []);
  const list = forms.map((form, index) => [
    index === 0 ? '' : ' or ',
    Object.keys((form as Schema).properties ?? {}).map((name, place) => [
      place === 0 ? '' : ', ',
      html`<code>${name}</code>`,
    ]),
  ]);
  return list.length === 0 ? undefined : html`<br><small>${held?.items ? 'a list of ' : ''}${list}</small>`;
}
