/** A marker in the input: wherever it comes back, the hub has echoed input. */
export const CANARY = 'magpie7f3';

/** Verbatim JSON that `JSON.stringify` would never produce, such as duplicate names or 1e400. */
export class Literal {
  constructor(readonly json: string) {}
}

/** A Socket.IO attachment, sent as a separate binary frame. */
export class Attachment {
  constructor(readonly bytes: Buffer) {}
}

/** Serializes a value to JSON; literals stay verbatim, attachments become placeholders and are collected. */
export function toJson(value: unknown, attachments: Buffer[] = []): string {
  if (value instanceof Literal) return value.json;
  if (value instanceof Attachment) return `{"_placeholder":true,"num":${attachments.push(value.bytes) - 1}}`;
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item, attachments)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, content]) => content !== undefined);
  return `{${fields.map(([name, content]) => `${JSON.stringify(name)}:${toJson(content, attachments)}`).join(',')}}`;
}

/** A copy of the message with another value at this path. */
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
