import type { AsyncApi } from './asyncapi.js';
import { html, type Markup, phrase } from './markup.js';

type Life = AsyncApi['x-order-lifecycle'];

/** The life of an order: a card for each status with the ways out of it, and the table with what else happens. */
export function lifeOfAnOrder({ statuses, steps }: Life): Markup {
  const card = (status: string) => {
    const ways = steps.filter(({ from }) => from === status);
    return html`<li class="status status-${status}"><strong>${status}</strong>
${ways.length === 0 ? html`<p>the end</p>` : html`<ul>${ways.map((way) => html`<li><code>${way.command}</code> → ${way.to}</li>`)}</ul>`}
</li>`;
  };
  const row = ({ from, command, by, to, effect }: Life['steps'][number]) => html`<tr>
<td>${from ?? '–'}</td><th scope="row"><code>${command}</code></th><td>${by.join(', ')}</td><td>${to}</td><td>${phrase(effect)}</td></tr>
`;
  return html`<section id="life"><h2>The life of an order</h2>
<p>Each step is one transaction. A party in the wrong role gets <code>FORBIDDEN</code> whatever the status; the right one
at the wrong time <code>ORDER_STATE</code>. An order’s <code>allowed</code> names what its reader may do now.</p>
<ol class="life">${statuses.map(card)}</ol>
<table class="steps"><thead><tr><th scope="col">from</th><th scope="col">command</th><th scope="col">by</th>
<th scope="col">to</th><th scope="col">and</th></tr></thead>
<tbody>${steps.map(row)}</tbody></table></section>`;
}
