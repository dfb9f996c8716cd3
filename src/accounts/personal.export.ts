import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { ApiKeysService } from '../auth/api.keys.service.js';
import { AuthService } from '../auth/auth.service.js';
import { SessionsService } from '../auth/sessions.service.js';
import { StoredAnswers } from '../commands/stored.answers.js';
import { HubError } from '../contract/errors.js';
import { PAGE_LIMIT_MAX, type Page } from '../contract/fields.js';
import { EXPORT_TYPE, type ExportType } from '../contract/personal.js';
import { roles } from '../contract/transitions.js';
import { OrderExport } from '../orders/order.export.js';
import { PaymentsService } from '../payments/payments.service.js';
import { TopupsService } from '../payments/topups.service.js';
import { type Caller, missingRight } from '../platform/caller.js';
import { ExportStream, toLines } from '../platform/http/export.stream.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { PushService } from '../push/push.service.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { StaffService } from '../staff/staff.service.js';
import { BooksService } from '../stores/books.service.js';
import { StoresService } from '../stores/stores.service.js';
import { WalletsService } from '../wallets/wallets.service.js';
import { WebhooksService } from '../webhooks/webhooks.service.js';

const limit = PAGE_LIMIT_MAX;

type Line = { type: ExportType };
type Lines = AsyncGenerator<readonly Line[]>;

/** All that the hub keeps of a user, as a stream: a page at a time, at the pace of the user's other reads. */
@Injectable()
export class PersonalExport {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
    private readonly keys: ApiKeysService,
    private readonly staff: StaffService,
    private readonly wallets: WalletsService,
    private readonly topups: TopupsService,
    private readonly payments: PaymentsService,
    private readonly answers: StoredAnswers,
    private readonly stores: StoresService,
    private readonly books: BooksService,
    private readonly orders: OrderExport,
    private readonly rooms: RoomsService,
    private readonly webhooks: WebhooksService,
    private readonly push: PushService,
    private readonly reads: ReadLimiter,
    private readonly exports: ExportStream,
  ) {}

  /** Answers with the export, which goes on after this resolves. Throws `FORBIDDEN`, and `OVERLOADED` beside others. */
  async send(caller: Caller, response: Response): Promise<void> {
    const { userId } = caller;
    if (caller.acting) throw new HubError('FORBIDDEN', 'Nobody exports what is kept of another user.');
    if (!caller.rights.has('money')) throw missingRight('money');
    const profile = { type: 'profile' as const, ...(await this.auth.profile(userId)) };
    this.exports.send(caller, response, { mediaType: EXPORT_TYPE }, toLines(this.lines(caller, profile)));
  }

  private async *lines(caller: Caller, profile: Line): Lines {
    const { userId } = caller;
    yield [profile];
    if (caller.kind === 'session') {
      yield* this.section('session', caller, (after) => this.sessions.list(caller, { ...after, limit }));
      yield* this.section('key', caller, (after) => this.keys.list(userId, { ...after, limit }));
    }
    yield* this.section('member', caller, (after) => this.staff.list(caller, { ...after, limit }));
    yield* this.section('staffOf', caller, (after) => this.staff.listOf(userId, { ...after, limit }));
    yield [{ type: 'wallet', ...(await this.wallets.wallet(userId)) }];
    yield* this.section('entry', caller, (after) => this.wallets.entries(userId, { ...after, limit }));
    yield* this.section('topup', caller, (after) => this.topups.list(userId, { ...after, limit }));
    yield* this.section('payout', caller, (after) => this.payments.listPayouts(userId, { ...after, limit }));
    yield* this.section('answer', caller, ({ after }) => this.answers.page(caller, userId, after));
    yield* this.section('webhook', caller, (after) => this.webhooks.list(caller, { ...after, limit }));
    yield* this.section('subscription', caller, () => this.push.list(userId));
    const storeIds: string[] = [];
    for await (const page of this.section('store', caller, (after) =>
      this.stores.list({ owner: userId, ...after, limit }),
    )) {
      storeIds.push(...page.map(({ storeId }) => storeId));
      yield page;
    }
    for (const storeId of storeIds) {
      yield* this.section('book', caller, (after) => this.books.exportOf(caller, { storeId, ...after, limit }));
    }
    for (const role of roles) {
      yield* this.section('order', caller, ({ after }) => this.orders.page(caller, userId, role, after));
    }
    for (const role of roles) yield* this.section('event', caller, ({ after }) => this.events(userId, role, after));
    yield [{ type: 'end' }];
  }

  private async events(userId: string, role: (typeof roles)[number], after = '0') {
    const items = await this.rooms.eventsAfter(role, userId, Number(after), limit);
    const last = items.at(-1);
    return { items, next: last && items.length === limit ? String(last.seq) : null };
  }

  /** Reads a list to its end. */
  private async *section<Type extends ExportType, Item extends object>(
    type: Type,
    caller: Caller,
    read: (after: { after?: string }) => Promise<Page<Item>>,
  ): AsyncGenerator<readonly (Item & { type: Type })[]> {
    for (let after: { after?: string } = {}; ; ) {
      const { items, next } = await this.reads.paced(caller, () => read(after));
      yield items.map((item) => ({ type, ...item }));
      if (next === null) return;
      after = { after: next };
    }
  }
}
