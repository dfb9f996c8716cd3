import { Controller, Res, ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { Response } from 'express';
import { Clock } from '../clock/clock.js';
import { Readiness } from '../database/readiness.js';
import { AvailabilityMetrics } from '../observability/availability.metrics.js';
import { Metrics } from '../observability/metrics.js';
import { SocketRegistry } from '../sockets/socket.registry.js';
import { WakeupChannel } from '../wakeup.channel.js';
import { ContractRoute, Input } from './contract.route.js';

/** Liveness, readiness and metrics, for operators. */
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: Readiness,
    private readonly wakeups: WakeupChannel,
    private readonly sockets: SocketRegistry,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    availability: AvailabilityMetrics,
  ) {
    availability.observeReady(async () => ((await this.state()).isReady ? 1 : 0));
    availability.observeOutage(() => readiness.outage());
    availability.observeRedis(async () => (wakeups.isConfigured ? wakeups.isUp() : undefined));
  }

  /** Succeeds whenever the process can answer: a restart would not bring back a database. */
  @ContractRoute('live')
  live(@Input() _request: object) {
    return { status: 'live' };
  }

  /** 503 unless the hub can accept messages. The route is public, so it names what is down without the reason. */
  @ContractRoute('ready')
  async ready(@Input() _request: object, @Res({ passthrough: true }) response: Response) {
    const { isReady, details, offByMs, draining } = await this.state();
    if (!isReady) response.status(503);
    return {
      status: isReady ? 'ready' : 'not ready',
      database: details.database?.status,
      ...(details.redis ? { redis: details.redis.status === 'up' ? 'up' : 'down' } : {}),
      ...(offByMs === undefined ? {} : { clock: `off by ${Math.round(Math.abs(offByMs) / 1_000)} s` }),
      draining,
    };
  }

  @ContractRoute('metrics')
  async read(@Input() _request: object, @Res({ passthrough: true }) response: Response): Promise<string> {
    response.type(this.metrics.registry.contentType);
    return this.metrics.text();
  }

  private async state() {
    const { draining } = this.sockets;
    const { status, details } = await this.check();
    const offByMs = this.clock.machineOffByMs;
    return { isReady: status !== 'error' && !draining && offByMs === undefined, details, offByMs, draining };
  }

  private async check(): Promise<HealthCheckResult> {
    const database = this.indicators.check('database');
    const databaseState = async () => ((await this.readiness.isUp()) ? database.up() : database.down());
    const redis = this.indicators.check('redis');
    // Without Redis, hubs poll: events arrive later, which is no reason to route clients elsewhere.
    const redisState = async () => ((await this.wakeups.isUp()) ? redis.up() : redis.degraded());
    try {
      return await this.health.check([databaseState, ...(this.wakeups.isConfigured ? [redisState] : [])]);
    } catch (error) {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }
}
