import { Inject, Injectable } from '@nestjs/common';
import { AuthService } from '../auth/auth.service.js';
import { CONFIG, type Config } from '../config.js';
import type { LoggedIn, OpenSessionRequest, RegisterRequest } from '../contract/auth.js';
import { HubError } from '../contract/errors.js';
import { OrdersService } from '../orders/orders.service.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { Caller, ClientInfo } from '../platform/caller.js';
import type { Tx } from '../platform/database/database.js';
import { PushService } from '../push/push.service.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { StaffService } from '../staff/staff.service.js';
import { WalletsService } from '../wallets/wallets.service.js';
import { WebhooksService } from '../webhooks/webhooks.service.js';

/** Registering and unregistering: a user, a wallet and two rooms are added and removed together. */
@Injectable()
export class AccountsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly auth: AuthService,
    private readonly staff: StaffService,
    private readonly wallets: WalletsService,
    private readonly rooms: RoomsService,
    private readonly orders: OrdersService,
    private readonly payments: PaymentsService,
    private readonly webhooks: WebhooksService,
    private readonly push: PushService,
  ) {}

  /** Throws `FORBIDDEN` where registration is closed. */
  async register(request: RegisterRequest, client: ClientInfo): Promise<{ userId: string }> {
    if (this.config.registration === 'closed') throw new HubError('FORBIDDEN', 'Only the shop’s backend adds users.');
    const { userId } = request;
    await this.auth.register(request, client, (tx) => this.open(tx, userId));
    return { userId };
  }

  /** A session of any user, who is added at the first call, for the shop's backend. */
  openSession(request: OpenSessionRequest): Promise<LoggedIn> {
    return this.auth.openSession(request, (tx) => this.open(tx, request.userId));
  }

  private async open(tx: Tx, userId: string): Promise<void> {
    await this.wallets.open(tx, userId);
    await this.rooms.open(tx, userId);
  }

  /**
   * Throws `ORDER_STATE` while the user has money, open orders or a payment under way, whose money would come to nobody. The locks,
   * in the batch's order, keep all of it unchanged.
   */
  async unregister(caller: Caller, password: string): Promise<void> {
    const { userId } = caller;
    let ended: Awaited<ReturnType<StaffService['leave']>> = [];
    await this.auth.unregister(caller, password, async (tx) => {
      ended = await this.staff.leave(tx, userId);
      const { balance, held } = await this.wallets.lock(tx, userId);
      await this.rooms.lock(tx, userId);
      const open = await this.orders.countOpen(tx, userId);
      if (open > 0 || balance + held > 0) {
        throw new HubError('ORDER_STATE', 'You still have open orders or money.', { open, balance });
      }
      if ((await this.payments.countPending(tx, userId)) > 0) {
        throw new HubError('ORDER_STATE', 'A top-up or a withdrawal of yours is still under way.', { open, balance });
      }
      await this.webhooks.deleteAll(tx, userId);
      await this.push.deleteAll(tx, userId);
    });
    this.staff.disconnect(ended);
  }
}
