import { Injectable } from '@nestjs/common';
import { AuthService } from '../auth/auth.service.js';
import type { RegisterRequest } from '../contract/auth.js';
import { Refusal } from '../contract/errors.js';
import { OrderReads } from '../orders/order.reads.js';
import type { Caller, Sender } from '../platform/caller.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { WalletService } from '../wallet/wallet.service.js';

/** What it takes to join the marketplace and to leave it: a user, a wallet and two rooms come and go together. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly auth: AuthService,
    private readonly wallets: WalletService,
    private readonly rooms: RoomsService,
    private readonly orders: OrderReads,
  ) {}

  async register(request: RegisterRequest, sender: Sender): Promise<{ userId: string }> {
    const { userId } = request;
    await this.auth.register(request, sender, async (tx) => {
      await this.wallets.open(tx, userId);
      await this.rooms.open(tx, userId);
    });
    return { userId };
  }

  /** Refused while the user has money or open orders. The locks, in the batch's order, keep both from changing meanwhile. */
  async unregister(caller: Caller, password: string): Promise<void> {
    const { userId } = caller;
    await this.auth.unregister(caller, password, async (tx) => {
      const balance = await this.wallets.lock(tx, userId);
      await this.rooms.lock(tx, userId);
      const open = await this.orders.countOpen(tx, userId);
      if (open > 0 || balance > 0) {
        throw new Refusal('ORDER_STATE', 'You still have open orders or money.', { open, balance });
      }
    });
  }
}
