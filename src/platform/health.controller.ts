import { Controller, Res, ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { Response } from 'express';
import { Connections } from './connections.js';
import { Database } from './database.js';
import { HintChannel } from './hint.channel.js';
import { Input, Serves } from './http.js';
import { Metrics } from './metrics.js';

/** A database that takes longer is as good as away. */
const PING_WITHIN_MS = 1_000;
/** Everybody may ask how the hub is, so its database is asked no more often than this. */
const PING_KEPT_MS = 100;

/** What those who run the hub ask it. */
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly parts: HealthIndicatorService,
    private readonly database: Database,
    private readonly hints: HintChannel,
    private readonly connections: Connections,
    private readonly metrics: Metrics,
  ) {}

  /** The process runs; restarting it would mend nothing. */
  @Serves('live')
  live(@Input() _nothing: object) {
    return { status: 'live' };
  }

  /** The hub can take messages now. Of what is down it tells the name, and nothing else: anybody may ask. */
  @Serves('ready')
  async ready(@Input() _nothing: object, @Res({ passthrough: true }) response: Response) {
    const { draining } = this.connections;
    const { status, details } = await this.check();
    const isReady = status !== 'error' && !draining;
    if (!isReady) response.status(503);
    return {
      status: isReady ? 'ready' : 'not ready',
      database: details.database?.status,
      ...(details.redis ? { redis: details.redis.status === 'up' ? 'up' : 'down' } : {}),
      draining,
    };
  }

  @Serves('metrics')
  async read(@Input() _nothing: object, @Res({ passthrough: true }) response: Response): Promise<string> {
    response.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }

  private async check(): Promise<HealthCheckResult> {
    const database = this.parts
      .check('database')
      .attempt(() => this.database.ping())
      .withTimeout(PING_WITHIN_MS)
      .cacheFor(PING_KEPT_MS);
    const redis = this.parts.check('redis');
    // Hubs do without Redis, only later: that is no reason to send their clients elsewhere.
    const hints = () => (this.hints.isUp ? redis.up() : redis.degraded());
    try {
      return await this.health.check([() => database, ...(this.hints.isUsed ? [hints] : [])]);
    } catch (error) {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }
}
