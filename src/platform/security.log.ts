import { Injectable } from '@nestjs/common';
import { Logger } from './logger.js';
import { Metrics } from './metrics.js';

const WINDOW_MS = 10_000;
/** So many lines of one kind in a window: a flood of refusals must not become a flood of lines. All are counted in the metrics. */
const LINES_PER_WINDOW_MAX = 20;
const ADDRESS_CHARACTERS_MAX = 64;

/** What those who watch over a hub want to be told, and how loudly. */
const levels = {
  'login-failed': 'warn',
  'password-refused': 'warn',
  'token-refused': 'warn',
  'handshake-refused': 'warn',
  'origin-refused': 'warn',
  'admin-refused': 'warn',
  forbidden: 'warn',
  'rate-limited': 'warn',
  'sessions-ended': 'info',
} as const;

export type SecurityEvent = keyof typeof levels;

interface About {
  /** Who did it, or who somebody claims to be. */
  user?: string | undefined;
  address?: string | undefined;
  code?: string | undefined;
  id?: string | undefined;
}

/** Security events: a line each, that says who and where from, and nothing of what was sent. */
@Injectable()
export class SecurityLog {
  private readonly windows = new Map<SecurityEvent, { endsAt: number; lines: number; unwritten: number }>();

  constructor(
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  /** What happened many times at once has one line, and is counted in full. */
  tell(event: SecurityEvent, { address, ...about }: About, times = 1): void {
    this.metrics.securityEvent(event, times);
    const now = performance.now();
    let window = this.windows.get(event);
    const unwritten = window?.unwritten ?? 0;
    if (!window || window.endsAt <= now) {
      window = { endsAt: now + WINDOW_MS, lines: 0, unwritten: 0 };
      this.windows.set(event, window);
      if (unwritten > 0) this.logger.warn({ event, unwritten }, 'security events that were not written');
    }
    if (++window.lines > LINES_PER_WINDOW_MAX) {
      window.unwritten += times;
      return;
    }
    window.unwritten += times - 1;
    const from = address === undefined ? {} : { address: address.slice(0, ADDRESS_CHARACTERS_MAX) };
    this.logger[levels[event]]({ event, ...about, ...from }, 'security');
  }
}
