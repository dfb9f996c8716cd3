import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { RedisClientType } from '@redis/client';
import { v4 as uuid } from 'uuid';
import { CONFIG, type Config } from '../config.js';
import { SharedCheck } from './limits/shared.check.js';
import { Logger } from './observability/logger.js';
import { parseRedisUrl } from './redis/redis.url.js';

const CHANNEL = 'order-hub:hints';
const RECONNECT_MS = 1_000;
const PING_MS = 5_000;
/** Begins the messages by which a hub hears itself; all others are wakeups. */
const PING = 'ping:';
const ECHO_TIMEOUT_MS = 1_000;
const ECHO_REUSE_MS = 1_000;
const NOT_CONNECTED = new Error('not connected');
/** Commands queued for a frozen server. Further wakeups are dropped, which only delays the next poll. */
const COMMAND_QUEUE_MAX = 100;

type CreateClient = typeof import('@redis/client').createClient;
type RedisParameters = ReturnType<typeof parseRedisUrl>;

/**
 * Wakes the pollers of other hubs over Redis, if one is configured. A wakeup carries no data and only makes a hub poll the
 * database sooner, so that a lost, late or forged one does no harm.
 */
@Injectable()
export class WakeupChannel implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly listeners: (() => void)[] = [];
  private publisher: RedisClientType | undefined;
  private subscriber: RedisClientType | undefined;
  private subscription: Promise<void> | undefined;
  private readonly ping = PING + uuid();
  private onEcho = () => {};
  private timer: NodeJS.Timeout | undefined;
  private isDown = false;
  /** Being connected is not enough: an account may lack the right to the channel. */
  private readonly echo = new SharedCheck({
    check: () => this.hearOwnPing(),
    timeoutMs: ECHO_TIMEOUT_MS,
    reuseMs: ECHO_REUSE_MS,
    onOutcome: (isUp, error) => {
      // Lost connections are logged when they are lost.
      if (error !== NOT_CONNECTED) this.logState(!isUp, error);
    },
  });

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: Logger,
  ) {}

  /** Calls back whenever another hub has something new. */
  onWakeup(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Wakes the other hubs, without waiting and without an error if that fails. */
  notify(): void {
    if (this.publisher?.isReady) this.publisher.publish(CHANNEL, '').catch(() => {});
  }

  get isConfigured(): boolean {
    return this.config.redisUrl !== undefined;
  }

  /** Whether wakeups can be both sent and received now: a ping of this hub's own came back. */
  isUp(): Promise<boolean> {
    return this.echo.passes();
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.redisUrl === undefined) return;
    // Imported only if needed: its five hundred files take a fifth of the startup time.
    const { createClient } = await import('@redis/client');
    const parameters = parseRedisUrl(this.config.redisUrl);
    this.subscriber = this.connect(createClient, parameters, () => this.subscribe().catch(() => {}));
    this.publisher = this.connect(createClient, parameters, () => {});
    this.timer = setInterval(() => this.echo.passes(), PING_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    for (const client of [this.publisher, this.subscriber]) client?.destroy();
  }

  /** Subscribes once. The client subscribes again by itself when it reconnects. */
  private subscribe(): Promise<void> {
    const onMessage = (message: string) => {
      if (message === this.ping) this.onEcho();
      // Other hubs' pings bring nothing new.
      else if (!message.startsWith(PING)) for (const listener of this.listeners) listener();
    };
    this.subscription ??= this.subscriber?.subscribe(CHANNEL, onMessage).catch((error: unknown) => {
      this.subscription = undefined;
      throw error;
    });
    return this.subscription ?? Promise.reject(NOT_CONNECTED);
  }

  private async hearOwnPing(): Promise<void> {
    const { publisher, subscriber } = this;
    if (!publisher?.isReady || !subscriber?.isReady) throw NOT_CONNECTED;
    await this.subscribe();
    const heard = new Promise<void>((resolve, reject) => {
      this.onEcho = resolve;
      setTimeout(() => reject(new Error('a wakeup did not come back')), ECHO_TIMEOUT_MS).unref();
    });
    await Promise.all([publisher.publish(CHANNEL, this.ping), heard]);
  }

  private connect(createClient: CreateClient, parameters: RedisParameters, onFirstReady: () => void): RedisClientType {
    const client: RedisClientType = createClient({
      ...parameters,
      disableOfflineQueue: true,
      commandsQueueMaxLength: COMMAND_QUEUE_MAX,
      pingInterval: PING_MS,
      socket: {
        ...parameters.socket,
        reconnectStrategy: () => RECONNECT_MS,
        connectTimeout: PING_MS,
        socketTimeout: 3 * PING_MS,
      },
    });
    client.on('error', (error: unknown) => this.logState(true, error));
    client.once('ready', onFirstReady);
    client.on('ready', () => this.echo.passes());
    client.connect().catch(() => {});
    return client;
  }

  /** Logs an outage once, and its end once. */
  private logState(isDown: boolean, error?: unknown): void {
    if (isDown === this.isDown) return;
    this.isDown = isDown;
    if (isDown) this.logger.warn({ error: String(error) }, 'Redis is away: hubs look by themselves, a little later');
    else this.logger.info({}, 'Redis is back');
  }
}
