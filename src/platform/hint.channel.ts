import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { RedisClientType } from '@redis/client';
import { CONFIG, type Config } from '../config.js';
import { Logger } from './logger.js';

const CHANNEL = 'order-hub:hints';
const RECONNECT_MS = 1_000;
const PING_MS = 5_000;
/** Hints that a frozen server has not taken. More are dropped: whoever waits for them looks by itself. */
const UNSENT_MAX = 100;

type CreateClient = typeof import('@redis/client').createClient;

/**
 * Tells the other hubs that there is something to read, over Redis when there is one. A hint carries nothing: it only makes
 * the hubs look sooner into the database than they would anyway. So it may be lost, late or forged, and changes nothing.
 */
@Injectable()
export class HintChannel implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly listeners: (() => void)[] = [];
  private readonly clients: RedisClientType[] = [];
  private isDown = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: Logger,
  ) {}

  /** Calls back whenever another hub has something to tell. */
  onHint(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Tells the others. Never waits, and never fails. */
  tell(): void {
    const [publisher] = this.clients;
    if (publisher?.isReady) publisher.publish(CHANNEL, '').catch(() => {});
  }

  /** Whether there is a Redis to tell others over. */
  get isUsed(): boolean {
    return this.config.redisUrl !== undefined;
  }

  /** Whether hints come and go now. */
  get isUp(): boolean {
    return this.clients.length > 0 && this.clients.every(({ isReady }) => isReady);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.redisUrl === undefined) return;
    // Five hundred files, a fifth of the start, which a hub by itself can do without.
    const { createClient } = await import('@redis/client');
    const subscriber = this.connect(createClient, this.config.redisUrl, () => {
      const hear = () => {
        for (const listener of this.listeners) listener();
      };
      subscriber.subscribe(CHANNEL, hear).catch(() => {});
    });
    const publisher = this.connect(createClient, this.config.redisUrl, () => {});
    this.clients.push(publisher, subscriber);
  }

  onApplicationShutdown(): void {
    for (const client of this.clients) client.destroy();
  }

  private connect(createClient: CreateClient, url: string, onceReady: () => void): RedisClientType {
    const client: RedisClientType = createClient({
      url,
      disableOfflineQueue: true,
      commandsQueueMaxLength: UNSENT_MAX,
      pingInterval: PING_MS,
      socket: { reconnectStrategy: () => RECONNECT_MS, connectTimeout: PING_MS, socketTimeout: 3 * PING_MS },
    });
    client.on('error', (error: unknown) => this.say(true, error));
    client.once('ready', onceReady);
    client.on('ready', () => this.say(false));
    client.connect().catch(() => {});
    return client;
  }

  /** Once for an outage, and once for its end. */
  private say(isDown: boolean, error?: unknown): void {
    if (isDown === this.isDown) return;
    this.isDown = isDown;
    if (isDown) this.logger.warn({ error: String(error) }, 'Redis is away: hubs look by themselves, a little later');
    else this.logger.info({}, 'Redis is back');
  }
}
