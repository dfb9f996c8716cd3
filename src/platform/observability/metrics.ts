import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { TokenBucket } from '../limits/token.bucket.js';
import { Logger } from './logger.js';
import { MetricFactory } from './metric.factory.js';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Renderings of all metrics, each of which takes some milliseconds of the process's time. */
const RENDERINGS = { burst: 100, perSecond: 10 };

/** Values of the label `limit`. */
export type LimitName =
  | 'queue'
  | 'messages'
  | 'reads'
  | 'strangers'
  | 'sockets-per-user'
  | 'sockets-per-address'
  | 'passwords'
  | 'slow-readers';

/** Why the hub closes a socket: values of the label `cause`. */
export type SocketCloseCause =
  | 'bad-packet'
  | 'catch-up'
  | 'ping-timeout'
  | 'session-check'
  | 'session-ended'
  | 'shutdown'
  | 'slow-consumer';

/** What has become of a push message: values of the label `outcome`. */
export type PushOutcome = 'sent' | 'gone' | 'refused' | 'failed';

/**
 * The metrics that Prometheus scrapes at `/metrics`. Label values come from the contract's tables or from the hub: never a user,
 * an address, or anything else that a client chooses.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly make = new MetricFactory(this.registry);
  private readonly renderings = new TokenBucket(RENDERINGS);
  private scrape: Promise<string> | undefined;
  private isRendering = false;
  private readonly messages = this.make.counter(
    'messages_total',
    'Messages and HTTP requests answered, by the code of the answer.',
    ['way', 'message', 'code'],
  );
  private readonly messageSeconds = this.make.histogram(
    'message_seconds',
    'Time from a message to its answer.',
    SECONDS,
    ['way', 'message'],
  );
  private readonly commands = this.make.counter(
    'commands_total',
    "Commands answered, including the hub's own, by the code of the answer (OK, or an error).",
    ['message', 'code'],
  );
  private readonly commandSeconds = this.make.histogram(
    'command_seconds',
    'Time from queueing a command to its answer.',
    SECONDS,
    ['message'],
  );
  private readonly batchCommands = this.make.histogram(
    'batch_commands',
    'Commands per batch, which is one transaction.',
    [1, 2, 4, 8, 16, 32, 64, 128, 256],
  );
  private readonly batchSeconds = this.make.histogram(
    'batch_seconds',
    'Duration of a batch, from its first statement to its commit.',
    SECONDS,
  );
  private readonly phaseSeconds = this.make.histogram(
    'batch_phase_seconds',
    'Duration of each phase of a batch.',
    SECONDS,
    ['phase'],
  );
  private readonly rejections = this.make.counter('refusals_total', 'Rejections by a limit.', ['limit']);
  private readonly security = this.make.counter(
    'security_events_total',
    'Security events, including those not logged.',
    ['event'],
  );
  private readonly events = this.make.counter(
    'room_events_total',
    'Events sent to sockets: live from memory, or replayed from the database.',
    ['from'],
  );
  private readonly socketsClosed = this.make.counter('sockets_closed_total', 'Sockets closed by the hub, by cause.', [
    'cause',
  ]);
  private readonly batchAgeSeconds = this.make.histogram(
    'hint_age_seconds',
    "Age of another hub's batch when this hub read it.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
  );

  private readonly webhookRequests = this.make.counter(
    'webhook_requests_total',
    'Requests to webhooks, by result: delivered, or failed (no answer, or another status than 2xx).',
    ['result'],
  );
  private readonly webhookEvents = this.make.counter('webhook_events_total', 'Events that webhooks have accepted.');
  private readonly webhookLagSeconds = this.make.histogram(
    'webhook_lag_seconds',
    'Time from an event to its acceptance by a webhook, of the last event of each request.',
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600, 86_400],
  );

  private readonly pushes = this.make.counter(
    'pushes_total',
    'Push messages, by outcome: sent, gone (the subscription was deleted), refused, or failed (sent again later).',
    ['outcome'],
  );

  constructor(logger: Logger) {
    collectDefaultMetrics({ register: this.registry });
    // Which version of Node runs is nobody's business: the route is public.
    this.registry.removeSingleMetric('nodejs_version_info');
    const help = 'Log lines dropped because their reader was too slow.';
    this.make.readCounter('log_lines_dropped_total', help, () => logger.dropped);
  }

  /**
   * All metrics as text. Scrapes pass every limit: those that come while one is rendered, or above the rate of renderings, share its
   * text.
   */
  text(): Promise<string> {
    if (this.scrape && (this.isRendering || this.renderings.waitMs() > 0)) return this.scrape;
    this.renderings.take();
    this.isRendering = true;
    this.scrape = this.registry.metrics().finally(() => {
      this.isRendering = false;
    });
    return this.scrape;
  }

  message(way: string, message: string, code: string, ms: number): void {
    this.messages.inc({ way, message, code });
    this.messageSeconds.observe({ way, message }, ms / 1_000);
  }

  command(message: string, code: string, ms: number): void {
    this.commands.inc({ message, code });
    this.commandSeconds.observe({ message }, ms / 1_000);
  }

  /** Counts commands rejected before they were queued. Not timed: that would make the hub look fast. */
  commandRejected(message: string, code: string, count: number): void {
    this.commands.inc({ message, code }, count);
    this.limited('queue', count);
  }

  batch(commands: number, ms: number): void {
    this.batchCommands.observe(commands);
    this.batchSeconds.observe(ms / 1_000);
  }

  phase(phase: string, ms: number): void {
    this.phaseSeconds.observe({ phase }, ms / 1_000);
  }

  /** Counts rejections by a limit. */
  limited(limit: LimitName, count = 1): void {
    this.rejections.inc({ limit }, count);
  }

  securityEvent(event: string, count: number): void {
    this.security.inc({ event }, count);
  }

  eventDelivered(from: 'memory' | 'database'): void {
    this.events.inc({ from });
  }

  socketClosed(cause: SocketCloseCause, count = 1): void {
    this.socketsClosed.inc({ cause }, count);
  }

  webhookFailed(): void {
    this.webhookRequests.inc({ result: 'failed' });
  }

  webhookDelivered(events: number, lagMs: number): void {
    this.webhookRequests.inc({ result: 'delivered' });
    this.webhookEvents.inc(events);
    this.webhookLagSeconds.observe(Math.max(0, lagMs) / 1_000);
  }

  pushed(outcome: PushOutcome): void {
    this.pushes.inc({ outcome });
  }

  batchAge(ageMs: number): void {
    this.batchAgeSeconds.observe(Math.max(0, ageMs) / 1_000);
  }

  observeDatabase(connections: () => Record<string, number>): void {
    const help = 'Database connections in use and free, and callers waiting for one.';
    this.make.observe('database_connections', help, connections, 'state');
  }

  observeQueue(queued: () => number): void {
    this.make.observe('queue_commands', 'Commands waiting for a batch.', queued);
  }

  observeSetAside(waiting: () => number): void {
    const help = 'Commands that wait, apart from the queue, for what another client of the database holds.';
    this.make.observe('commands_set_aside', help, waiting);
  }

  observeSockets(connected: () => number): void {
    this.make.observe('sockets', 'Sockets connected to this process.', connected);
  }

  observeRooms(joined: () => number): void {
    this.make.observe('rooms', 'Rooms with a socket on this process: two for each connected user.', joined);
  }

  observeOrders(byStatus: () => Promise<Record<string, number>>): void {
    this.make.observe('orders', 'Orders by status, counted periodically.', byStatus, 'status');
  }
}
