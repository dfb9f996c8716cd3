const TEXT = Symbol('json text');

/** What the hub tells as JSON, written once, however many sockets are told. For what does not change any more: events. */
export function jsonText(value: object): string {
  const known = knownJsonText(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  // Under a symbol that is not listed: neither JSON nor a copy with other fields takes it along.
  Object.defineProperty(value, TEXT, { value: text });
  return text;
}

/** The JSON of a value, if it was written already. */
export function knownJsonText(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? (value as { [TEXT]?: string })[TEXT] : undefined;
}
