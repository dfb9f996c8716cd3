/** A word that stands in what is sent. Wherever it comes back, the hub has echoed. */
export const CANARY = 'magpie7f3';

/** JSON that `JSON.stringify` would never write: a name twice, a number beyond all numbers. */
export class Literal {
  constructor(readonly json: string) {}
}

/** Bytes, which travel over a socket as a frame of their own. */
export class Attachment {
  constructor(readonly bytes: Buffer) {}
}

/** Writes a value as JSON text, letter by letter where it says so. Attachments are numbered and gathered. */
export function written(value: unknown, attachments: Buffer[] = []): string {
  if (value instanceof Literal) return value.json;
  if (value instanceof Attachment) return `{"_placeholder":true,"num":${attachments.push(value.bytes) - 1}}`;
  if (Array.isArray(value)) return `[${value.map((item) => written(item, attachments)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, content]) => content !== undefined);
  return `{${fields.map(([name, content]) => `${JSON.stringify(name)}:${written(content, attachments)}`).join(',')}}`;
}

/** The same message with another value at one place. */
export function withValue(message: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(message))
    return message.map((item, index) => (String(index) === step ? withValue(item, rest, value) : item));
  const fields = message as Record<string, unknown>;
  return { ...fields, [step]: withValue(fields[step], rest, value) };
}

export function nested(levels: number, open = '[', close = ']', core = ''): Literal {
  return new Literal(open.repeat(levels) + core + close.repeat(levels));
}
