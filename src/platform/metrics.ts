import { Injectable } from '@nestjs/common';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { Database } from './database.js';
import { Logger } from './logger.js';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What turns work away, by the names that operators see. */
export type LimitName = 'queue' | 'messages' | 'strangers' | 'sockets-per-user' | 'sockets-per-address' | 'passwords';

/**
 * What the hub counts and measures, in the form that Prometheus reads at `/metrics`. A label has the words of the contract's
 * tables or of the hub's own only: never a user, an address, or anything else that a client chooses.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly messages = this.counter(
    'messages_total',
    'Messages and requests answered, by the code of the answer.',
    ['way', 'message', 'code'],
  );
  private readonly messageSeconds = this.histogram('message_seconds', 'From a message to its answer.', SECONDS, [
    'way',
    'message',
  ]);
  private readonly commands = this.counter(
    'commands_total',
    'Commands answered, also those of the hub itself, by the code of the answer (OK, or a refusal).',
    ['message', 'code'],
  );
  private readonly commandSeconds = this.histogram(
    'command_seconds',
    'From a command in the queue to its answer.',
    SECONDS,
    ['message'],
  );
  private readonly batchCommands = this.histogram(
    'batch_commands',
    'How many commands shared a transaction.',
    [1, 2, 4, 8, 16, 32, 64, 128, 256],
  );
  private readonly batchSeconds = this.histogram(
    'batch_seconds',
    'A batch, from its first statement to its commit.',
    SECONDS,
  );
  private readonly phaseSeconds = this.histogram('batch_phase_seconds', 'The phases of a batch.', SECONDS, ['phase']);
  private readonly refusals = this.counter('refusals_total', 'What a limit has turned away, by the limit.', ['limit']);
  private readonly security = this.counter('security_events_total', 'What the log tells as a security event.', [
    'event',
  ]);
  private readonly events = this.counter(
    'room_events_total',
    'Events given to sockets: live from memory, or replayed from the database.',
    ['from'],
  );
  private readonly hintAge = this.histogram(
    'hint_age_seconds',
    'How old a batch of another hub was when this one read it, by both clocks.',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
  );

  constructor(logger: Logger, database: Database) {
    collectDefaultMetrics({ register: this.registry });
    this.observe(
      'database_connections',
      'Connections to the database, and who waits for one.',
      () => database.connections,
      'state',
    );
    new Counter({
      ...this.named('log_lines_dropped_total', 'Log lines that nobody took, since the start.', []),
      collect() {
        this.reset();
        this.inc(logger.dropped);
      },
    });
  }

  message(way: string, message: string, code: string, ms: number): void {
    this.messages.inc({ way, message, code });
    this.messageSeconds.observe({ way, message }, ms / 1_000);
  }

  command(message: string, code: string, ms: number): void {
    this.commands.inc({ message, code });
    this.commandSeconds.observe({ message }, ms / 1_000);
  }

  /** A command that was refused before it was looked at: no time of an answer, which would tell of how quick the hub is. */
  commandRefused(message: string, code: string, count: number): void {
    this.commands.inc({ message, code }, count);
    this.refused('queue', count);
  }

  batch(commands: number, ms: number): void {
    this.batchCommands.observe(commands);
    this.batchSeconds.observe(ms / 1_000);
  }

  phase(phase: string, ms: number): void {
    this.phaseSeconds.observe({ phase }, ms / 1_000);
  }

  /** A limit has turned something away, so often. */
  refused(limit: LimitName, count = 1): void {
    this.refusals.inc({ limit }, count);
  }

  securityEvent(event: string, count: number): void {
    this.security.inc({ event }, count);
  }

  eventGiven(from: 'memory' | 'database'): void {
    this.events.inc({ from });
  }

  hintRead(ageMs: number): void {
    this.hintAge.observe(Math.max(0, ageMs) / 1_000);
  }

  observeQueue(waiting: () => number): void {
    this.observe('queue_commands', 'Commands that wait for their batch.', waiting);
  }

  observeSockets(connected: () => number): void {
    this.observe('sockets', 'Sockets that are connected to this process.', connected);
  }

  observeRooms(joined: () => number): void {
    this.observe('rooms', 'Rooms with a socket at this process: two for each user who is connected.', joined);
  }

  observeOrders(byStatus: () => Promise<Record<string, number>>): void {
    this.observe('orders', 'Orders by their status, counted now and then.', byStatus, 'status');
  }

  /** A number that is asked for when somebody reads the metrics; or several, by the values of a label. */
  private observe<Label extends string>(
    name: string,
    help: string,
    read: () => number | Record<string, number> | Promise<Record<string, number>>,
    label?: Label,
  ): void {
    new Gauge({
      ...this.named(name, help, label === undefined ? [] : [label]),
      async collect() {
        const values = await read();
        if (typeof values === 'number') this.set(values);
        else for (const [value, count] of Object.entries(values)) this.labels(value).set(count);
      },
    });
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter(this.named(name, help, labelNames));
  }

  private histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ ...this.named(name, help, labelNames), buckets });
  }

  private named<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return { name: `order_hub_${name}`, help, labelNames, registers: [this.registry] };
  }
}
