import type { LoggerService } from '@nestjs/common';
import { type Logger as Pino, pino } from 'pino';
import type { Config } from '../config.js';

/** The hub's log: one JSON line an event, on standard error. Never holds a message's contents, a token or a password. */
export class Logger implements LoggerService {
  private readonly pino: Pino;

  constructor(config: Config) {
    this.pino = pino({ level: config.logLevel, base: undefined }, pino.destination({ fd: 2, sync: true }));
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

  private write(level: 'debug' | 'info' | 'warn' | 'error', fields: object | string, message?: string): void {
    if (typeof fields === 'string') this.pino[level]({ context: message }, fields);
    else this.pino[level](fields, message);
  }
}
