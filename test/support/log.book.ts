import type { DestinationStream } from 'pino';

export type LogLine = Record<string, unknown> & { level: number; msg: string };

/** Captures a hub's log, line by line, as written. */
export class LogBook implements DestinationStream {
  readonly written: string[] = [];

  write(line: string): void {
    this.written.push(line);
  }

  /** The lines with this `msg` and these fields. */
  lines(msg: string, about: Record<string, unknown> = {}): LogLine[] {
    return this.written
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => line.msg === msg && Object.entries(about).every(([name, value]) => line[name] === value));
  }
}
