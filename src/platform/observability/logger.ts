import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import { v4 as uuid } from 'uuid';
import type { Config } from '../../config.js';

/** Bytes that may queue for a slow reader of the log. Further lines are dropped: logging must not stop the hub. */
const QUEUED_BYTES_MAX = 1_048_576;
const TEXT_CHARACTERS_MAX = 4_000;

/** JSON lines on standard error, which never contain a message's fields, a token or a password. */
export class Logger implements LoggerService {
  /** Names this hub in its log lines, in its traces and as the holder of leases. */
  readonly hubId = uuid();
  private readonly pino: Pino;
  /** Lines dropped since the start. */
  dropped = 0;

  constructor({ logLevel }: Pick<Config, 'logLevel'>, destination: DestinationStream = this.standardError()) {
    this.pino = pino({ level: logLevel, base: { hub: this.hubId } }, destination);
  }

  /** Whether `debug` lines are written. Callers check first where the line's fields cost time for each message. */
  get isVerbose(): boolean {
    return this.pino.isLevelEnabled('debug');
  }

  debug(fields: object | string, message?: string): void {
    this.write('debug', fields, message);
  }

  info(fields: object | string, message?: string): void {
    this.write('info', fields, message);
  }

  /** Called by Nest during assembly, with nothing that an operator needs. */
  log(fields: object | string, message?: string): void {
    this.write('debug', fields, message);
  }

  warn(fields: object | string, message?: string): void {
    this.write('warn', fields, message);
  }

  error(fields: object | string, message?: string): void {
    this.write('error', fields, message);
  }

  /** Resolves to whether all lines were written within the timeout. */
  async isWritten(timeoutMs: number): Promise<boolean> {
    // Errors are ignored: a pipe cannot be synced to a disk.
    const written = new Promise<boolean>((resolve) => this.pino.flush(() => resolve(true)));
    return Promise.race([written, sleep(timeoutMs, false)]);
  }

  private write(level: 'debug' | 'info' | 'warn' | 'error', fields: object | string, message?: string): void {
    if (typeof fields === 'string') this.pino[level]({ context: message }, fields);
    else this.pino[level](fields, message);
  }

  /** Asynchronous, so that a slow reader does not block the hub. */
  private standardError(): DestinationStream {
    const stream = pino.destination({ fd: 2, sync: false, minLength: 1, maxLength: QUEUED_BYTES_MAX });
    stream.on('drop', () => this.dropped++);
    return stream;
  }
}

/** An error's stack for the log, without the quoted values that databases put into messages: those are users' data. */
export function describe(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, TEXT_CHARACTERS_MAX).replace(/'[^'\n]*'/g, "'…'");
}
