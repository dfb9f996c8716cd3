import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Connections } from './connections.js';
import { Database } from './database.js';
import { withinDeadline } from './deadline.js';
import { Input, Serves } from './http.js';
import { Metrics } from './metrics.js';

/** A database that takes longer is as good as away. */
const PING_WITHIN_MS = 1_000;

/** What those who run the hub ask it. */
@Controller()
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly connections: Connections,
    private readonly metrics: Metrics,
  ) {}

  /** The process runs; restarting it would mend nothing. */
  @Serves('live')
  live(@Input() _nothing: object) {
    return { status: 'live' };
  }

  /** The hub can take messages now. */
  @Serves('ready')
  async ready(@Input() _nothing: object, @Res({ passthrough: true }) response: Response) {
    const database = await withinDeadline(this.database.ping(), PING_WITHIN_MS).then(
      () => 'up',
      () => 'down',
    );
    const ready = database === 'up' && !this.connections.draining;
    if (!ready) response.status(503);
    return { status: ready ? 'ready' : 'not ready', database, draining: this.connections.draining };
  }

  @Serves('metrics')
  async read(@Input() _nothing: object, @Res({ passthrough: true }) response: Response): Promise<string> {
    response.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}
