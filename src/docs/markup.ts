/** Text that is markup already. Whatever else is put into a page is escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Part = Markup | string | number | undefined | readonly Part[];

/** A piece of a page: html`<p>${text}</p>`. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, string, index) => text + written(parts[index - 1]) + string));
}

/** Paragraphs, of text that may hold `code` and **what is important**, code too, and nothing else of Markdown. */
export function prose(text: string): Markup[] {
  return text.split('\n\n').map((paragraph) => html`<p>${phrase(paragraph)}</p>`);
}

/** The same within a line. */
export function phrase(text: string): Part[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => {
    if (part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.startsWith('**')) return html`<strong>${phrase(part.slice(2, -2))}</strong>`;
    return part;
  });
}

/** One part after the other, with something between them. */
export function between(separator: string, parts: readonly Part[]): Part[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
}

export function code(text: string): Markup {
  return html`<code>${text}</code>`;
}

/** JSON as a person reads it, with its names, texts and numbers told apart. */
export function json(value: unknown): Part[] {
  const text = JSON.stringify(value, null, 2).replace(/\[[^[\]{}]{0,60}\]/g, (list) => list.replaceAll(/\s+/g, ' '));
  return text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?)/).map((part) => {
    if (part.endsWith(':')) return html`<b>${part.slice(0, -1)}</b>:`;
    return part.startsWith('"') ? html`<i>${part}</i>` : part;
  });
}

function written(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(written).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
