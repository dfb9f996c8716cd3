import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { CommandQueue } from '../commands/command.queue.js';
import { CONFIG, type Config } from '../config.js';
import { HubError } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import type { CreateTopupRequest, TopupPage, TopupsRequest, TopupView } from '../contract/payments.js';
import type { Answer } from '../contract/wire.js';
import type { Caller } from '../platform/caller.js';
import { Database, type Tx } from '../platform/database/database.js';
import { toPage } from '../platform/database/pagination.js';
import { listeningAddress } from '../platform/http/listening.address.js';
import { PAYMENT_PROVIDER, type PaymentProvider } from './payment.provider.js';
import { ProviderCalls } from './provider.calls.js';
import { returnUrlOf } from './return.url.js';
import { Topup } from './topup.entity.js';

/** What users pay in. */
@Injectable()
export class TopupsService {
  /** Pages that the provider is being asked for, by top-up: the same key twice at once asks once. */
  private readonly opening = new Map<string, Promise<string>>();

  constructor(
    private readonly commands: CommandQueue,
    private readonly database: Database,
    private readonly calls: ProviderCalls,
    private readonly adapter: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider | undefined,
    @InjectRepository(Topup) private readonly topups: Repository<Topup>,
  ) {}

  /**
   * Begins a top-up, and then asks the provider for its page. If that is out of reach this throws `UNAVAILABLE`, and the same key
   * asks it again about the same top-up.
   */
  async create(caller: Caller, request: CreateTopupRequest): Promise<Answer<TopupPage>> {
    if (!this.provider) throw new HubError('UNKNOWN_MESSAGE');
    const begun = await this.commands.submit('topup:create', caller.userId, request, caller);
    if (!begun.ok) return begun;
    const topup = await this.topups.findOneByOrFail({ topupId: begun.data.topupId });
    if (topup.url !== null) return { ...begun, data: { ...begun.data, next: { url: topup.url } } };
    const url = await this.pageOf(topup, this.provider);
    return { ok: true, data: { ...begun.data, next: { url } } };
  }

  /** The user's top-ups, newest first. */
  async list(userId: string, { after, limit = PAGE_LIMIT_DEFAULT }: TopupsRequest): Promise<Page<TopupView>> {
    const query = this.topups
      .createQueryBuilder('topup')
      .where('topup.userId = :userId', { userId })
      .orderBy('topup.topupId', 'DESC')
      .limit(limit + 1);
    if (after !== undefined) query.andWhere('topup.topupId < :after', { after });
    return toPage(await query.getMany(), limit, presentTopup, ({ topupId }) => topupId);
  }

  /** One of the user's top-ups. Throws `NOT_FOUND`. */
  async get(userId: string, topupId: string): Promise<TopupView> {
    const topup = await this.topups.findOneBy({ userId, topupId });
    if (!topup) throw new HubError('NOT_FOUND', undefined, { what: 'topup' });
    return presentTopup(topup);
  }

  private pageOf(topup: Topup, provider: PaymentProvider): Promise<string> {
    const { topupId } = topup;
    const opening = this.opening.get(topupId) ?? this.open(topup, provider).finally(() => this.opening.delete(topupId));
    this.opening.set(topupId, opening);
    return opening;
  }

  private async open(topup: Topup, provider: PaymentProvider): Promise<string> {
    const { topupId, userId } = topup;
    const returnUrl = returnUrlOf(
      this.config.publicUrl ?? listeningAddress(this.adapter.httpAdapter.getHttpServer(), this.config),
      topup,
    );
    const page = await this.calls.run(userId, () => provider.createPage(topup, returnUrl));
    // The first page stays, whichever hub has asked for it.
    const { reference, url } = page;
    const keep = (tx: Tx) => tx.withRepository(this.topups).update({ topupId, url: IsNull() }, { reference, url });
    await this.database.transaction(keep, { userId });
    return (await this.topups.findOneByOrFail({ topupId })).url ?? url;
  }
}

function presentTopup({ topupId, status, amount, orderId, createdAt, settledAt }: Topup): TopupView {
  return { topupId, status, amount, orderId, createdAt: isoTime(createdAt), settledAt: isoTime(settledAt) };
}
