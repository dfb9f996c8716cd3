import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { CONFIG, type Config } from '../config.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { VapidKey } from './vapid.key.entity.js';

const NAME = 'web-push';
/** Half of what a push service allows, so that its clock may differ by hours. */
const TOKEN_SECONDS = 43_200;
const RENEWED_AFTER_MS = 3_600_000;
const TOKENS_MAX = 1_000;

type Pair = NonNullable<Config['vapidKeys']>;

/** The hub's identity before push services (RFC 8292): the operator's keys, or a pair that is made once and kept. */
@Injectable()
export class VapidKeys {
  private pair: Promise<Pair> | undefined;
  /** The signed header, by push service: many messages go to a few of these. */
  private readonly headers = new Map<string, { value: string; renewAt: number }>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @InjectRepository(VapidKey) private readonly keys: Repository<VapidKey>,
  ) {}

  async publicKey(): Promise<string> {
    return (await this.load()).publicKey;
  }

  /** The `Authorization` header of a request to this endpoint. */
  async authorization(endpoint: string): Promise<string> {
    const { origin } = new URL(endpoint);
    // Push services know the real time.
    const now = this.clock.realNow();
    const known = this.headers.get(origin);
    if (known && known.renewAt > now) return known.value;
    const { publicKey, privateKey } = await this.load();
    const { getVapidHeaders } = await webPush();
    const expiresAt = Math.floor(now / 1_000) + TOKEN_SECONDS;
    const { Authorization: value } = getVapidHeaders(
      origin,
      this.subject,
      publicKey,
      privateKey,
      'aes128gcm',
      expiresAt,
    );
    // Endpoints are chosen by users.
    if (this.headers.size >= TOKENS_MAX) this.headers.clear();
    this.headers.set(origin, { value, renewAt: now + RENEWED_AFTER_MS });
    return value;
  }

  /** Whom a push service may write to. Apple's refuses an address of this machine. */
  private get subject(): string {
    const { publicUrl } = this.config;
    return publicUrl?.startsWith('https:') ? publicUrl : 'mailto:push@order-hub.invalid';
  }

  private load(): Promise<Pair> {
    this.pair ??= this.config.vapidKeys
      ? Promise.resolve(this.config.vapidKeys)
      : this.findOrMake().catch((error: unknown) => {
          this.pair = undefined;
          throw error;
        });
    return this.pair;
  }

  /** The row's primary key decides between hubs that make a pair at the same moment. */
  private async findOrMake(): Promise<Pair> {
    const found = await this.keys.findOneBy({ name: NAME });
    if (found) return found;
    const made = (await webPush()).generateVAPIDKeys();
    const work = async (tx: Tx): Promise<Pair> => {
      const keys = tx.withRepository(this.keys);
      const first = await keys.findOneBy({ name: NAME });
      if (first) return first;
      await keys.insert({ name: NAME, ...made, createdAt: this.clock.now() });
      return made;
    };
    return this.database.transaction(work, { retry: (error) => this.database.dialect.isDuplicate(error) });
  }
}

/** Loaded by the first hub that needs it: most hubs send no push messages. */
export async function webPush() {
  const { default: library } = await import('web-push');
  return library;
}
