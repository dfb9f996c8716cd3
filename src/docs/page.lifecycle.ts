import type { AsyncApi } from './asyncapi.js';
import { html, type Markup, phrase } from './markup.js';

type Lifecycle = AsyncApi['x-order-lifecycle'];
type Transition = Lifecycle['steps'][number];

/** The order lifecycle: a card for each status with the transitions out of it, and a table of all transitions. */
export function lifecycleSection({ statuses, steps: transitions, conditions }: Lifecycle): Markup {
  const card = (status: string) => {
    const outgoing = transitions.filter(({ from }) => from === status);
    const item = ({ command, to }: Transition) => html`<li><code>${command}</code> → ${to.join(' or ')}</li>`;
    return html`<li class="status status-${status}"><strong>${status}</strong>
${outgoing.length === 0 ? html`<p>final</p>` : html`<ul>${outgoing.map(item)}</ul>`}
</li>`;
  };
  const row = ({ from, command, by, to, when = [], effect }: Transition) => html`<tr>
<td>${from ?? '–'}</td><th scope="row"><code>${command}</code></th><td>${by.join(', ')}</td><td>${to.join(' or ')}</td><td>${phrase(when.map((condition) => conditions[condition]).join(', '))}</td><td>${phrase(effect)}</td></tr>
`;
  return html`<section id="life"><h2>Order lifecycle</h2>
<p>Each transition is one transaction. A command from the wrong role gets <code>FORBIDDEN</code> whatever the status; one
from the right role in the wrong status gets <code>ORDER_STATE</code>. An order’s <code>allowed</code> lists the commands that its reader may send now.</p>
<ol class="lifecycle">${statuses.map(card)}</ol>
<table class="transitions"><thead><tr><th scope="col">from</th><th scope="col">command</th><th scope="col">by</th>
<th scope="col">to</th><th scope="col">when</th><th scope="col">effect</th></tr></thead>
<tbody>${transitions.map(row)}</tbody></table></section>`;
}
