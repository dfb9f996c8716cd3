import { Injectable } from '@nestjs/common';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the hub counts and measures, in the form that Prometheus reads at `/metrics`. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly commands = new Counter({
    name: 'order_hub_commands_total',
    help: 'Commands answered, by message and by the code of the answer (OK, or a refusal).',
    labelNames: ['message', 'code'],
    registers: [this.registry],
  });
  private readonly commandSeconds = new Histogram({
    name: 'order_hub_command_seconds',
    help: 'From the arrival of a command to its answer.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });
  private readonly batchCommands = new Histogram({
    name: 'order_hub_batch_commands',
    help: 'How many commands shared a transaction.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers: [this.registry],
  });
  private readonly batchSeconds = new Histogram({
    name: 'order_hub_batch_seconds',
    help: 'How long a batch took, from its first statement to its commit.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  command(message: string, code: string, ms: number): void {
    this.commands.inc({ message, code });
    this.commandSeconds.observe(ms / 1_000);
  }

  batch(commands: number, ms: number): void {
    this.batchCommands.observe(commands);
    this.batchSeconds.observe(ms / 1_000);
  }

  observeQueue(waiting: () => number): void {
    this.gauge('order_hub_queue_commands', 'Commands that wait for their batch.', waiting);
  }

  observeSockets(connected: () => number): void {
    this.gauge('order_hub_sockets', 'Sockets that are connected to this process.', connected);
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
