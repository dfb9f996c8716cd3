/** Trusted HTML. Everything else in a page is escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Part = Markup | string | number | undefined | readonly Part[];

/** A template tag that escapes its values: html`<p>${text}</p>`. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, string, index) => text + render(parts[index - 1]) + string));
}

/** Paragraphs of text. Of Markdown, only `code` and **strong** are supported; strong text may contain code. */
export function prose(text: string): Markup[] {
  return text.split('\n\n').map((paragraph) => html`<p>${phrase(paragraph)}</p>`);
}

/** Inline text with the same Markdown. */
export function phrase(text: string): Part[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => {
    if (part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith('**')) return html`<strong>${phrase(part.slice(2, -2))}</strong>`;
    return part;
  });
}

/** Joins parts with a separator. */
export function join(separator: string, parts: readonly Part[]): Part[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
}

export function code(text: string): Markup {
  return html`<code>${text}</code>`;
}

/** Indented JSON with short lists on one line, and markup around names and strings for highlighting. */
export function json(value: unknown): Part[] {
  const text = JSON.stringify(value, null, 2).replace(/\[[^[\]{}]{0,60}\]/g, (list) => list.replaceAll(/\s+/g, ' '));
  return text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?)/).map((part) => {
    if (part.endsWith(':')) return html`<b>${part.slice(0, -1)}</b>:`;
    return part.startsWith('"') ? html`<i>${part}</i>` : part;
  });
}

function render(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
