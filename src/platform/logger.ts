import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import type { Config } from '../config.js';

/** Lines that nobody takes are kept up to this size, and dropped beyond it: a slow reader must not stop the hub. */
const UNWRITTEN_BYTES_MAX = 1_048_576;
const TEXT_CHARACTERS_MAX = 4_000;

/** The hub's log: one JSON line an event, on standard error. Never holds a message's contents, a token or a password. */
export class Logger implements LoggerService {
  private readonly pino: Pino;
  /** Lines that could not be written, since the start. */
  dropped = 0;

  constructor({ logLevel }: Pick<Config, 'logLevel'>, lines: DestinationStream = this.standardError()) {
    this.pino = pino({ level: logLevel, base: undefined }, lines);
  }

  /** Whether `debug` is written at all: what is said once a message must cost nothing while nobody listens. */
  get isVerbose(): boolean {
    return this.pino.isLevelEnabled('debug');
  }

  debug(fields: object | string, message?: string): void {
    this.write('debug', fields, message);
  }

  info(fields: object | string, message?: string): void {
    this.write('info', fields, message);
  }

  /** What Nest says while it assembles the app: nothing that an operator needs. */
  log(fields: object | string, message?: string): void {
    this.write('debug', fields, message);
  }

  warn(fields: object | string, message?: string): void {
    this.write('warn', fields, message);
  }

  error(fields: object | string, message?: string): void {
    this.write('error', fields, message);
  }

  /** Whether all that was logged is written, or is within the time given. */
  async isWritten(withinMs: number): Promise<boolean> {
    // Also when it says that a pipe cannot be synced to a disk.
    const written = new Promise<boolean>((resolve) => this.pino.flush(() => resolve(true)));
    return Promise.race([written, sleep(withinMs, false)]);
  }

  private write(level: 'debug' | 'info' | 'warn' | 'error', fields: object | string, message?: string): void {
    if (typeof fields === 'string') this.pino[level]({ context: message }, fields);
    else this.pino[level](fields, message);
  }

  /** Written beside the hub's work, never in its way. */
  private standardError(): DestinationStream {
    const stream = pino.destination({ fd: 2, sync: false, minLength: 1, maxLength: UNWRITTEN_BYTES_MAX });
    stream.on('drop', () => this.dropped++);
    return stream;
  }
}

/**
 * An error as the log may hold it: where it came from, and what it says, without the values that databases quote in their
 * errors. Those are the users'.
 */
export function describe(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, TEXT_CHARACTERS_MAX).replace(/'[^'\n]*'/g, "'…'");
}
