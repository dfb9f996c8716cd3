import { Injectable } from '@nestjs/common';
import { Logger } from './logger.js';
import { Metrics } from './metrics.js';

const WINDOW_MS = 10_000;
/** Lines per event and window: a flood of rejections must not flood the log. Metrics count all of them. */
const LINES_PER_WINDOW_MAX = 20;
const ADDRESS_CHARACTERS_MAX = 64;

/** Security events, by their log level. */
const levels = {
  'login-failed': 'warn',
  'password-refused': 'warn',
  'token-refused': 'warn',
  'handshake-refused': 'warn',
  'origin-refused': 'warn',
  'admin-refused': 'warn',
  forbidden: 'warn',
  'rate-limited': 'warn',
  'payment-disputed': 'warn',
  'sessions-ended': 'info',
} as const;

export type SecurityEvent = keyof typeof levels;

interface EventFields {
  /** Authenticated or claimed. */
  user?: string | undefined;
  address?: string | undefined;
  code?: string | undefined;
  id?: string | undefined;
}

/** Logs security events with their user and address, and none of what was sent. */
@Injectable()
export class SecurityLog {
  private readonly windows = new Map<SecurityEvent, { endsAt: number; lines: number; unwritten: number }>();

  constructor(
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  /** Logs one line for simultaneous events, and counts all of them. */
  record(event: SecurityEvent, { address, ...fields }: EventFields, count = 1): void {
    this.metrics.securityEvent(event, count);
    const now = performance.now();
    let window = this.windows.get(event);
    const unwritten = window?.unwritten ?? 0;
    if (!window || window.endsAt <= now) {
      window = { endsAt: now + WINDOW_MS, lines: 0, unwritten: 0 };
      this.windows.set(event, window);
      if (unwritten > 0) this.logger.warn({ event, unwritten }, 'security events that were not written');
    }
    if (++window.lines > LINES_PER_WINDOW_MAX) {
      window.unwritten += count;
      return;
    }
    window.unwritten += count - 1;
    const origin = address === undefined ? {} : { address: address.slice(0, ADDRESS_CHARACTERS_MAX) };
    this.logger[levels[event]]({ event, ...fields, ...origin }, 'security');
  }
}
