const TEXT = Symbol('json text');

/** Serializes a value once for any number of sockets. For immutable values only, such as events. */
export function toCachedJson(value: object): string {
  const cached = cachedJson(value);
  if (cached !== undefined) return cached;
  const text = JSON.stringify(value);
  cacheJson(value, text);
  return text;
}

/** Keeps the JSON of a value with it, and returns the value. */
export function cacheJson<Value extends object>(value: Value, text: string): Value {
  // Not enumerable: neither JSON nor a spread copy includes it.
  return Object.defineProperty(value, TEXT, { value: text });
}

/** The JSON of a value, if it was serialized before. */
export function cachedJson(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? (value as { [TEXT]?: string })[TEXT] : undefined;
}
