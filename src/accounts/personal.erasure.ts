import { Injectable } from '@nestjs/common';
import { AuthService } from '../auth/auth.service.js';
import { HubError } from '../contract/errors.js';
import type { EraseRequest } from '../contract/personal.js';
import { OrdersService } from '../orders/orders.service.js';
import { WordsErasure } from '../orders/words.erasure.js';
import { type Caller, missingRight } from '../platform/caller.js';
import { Database } from '../platform/database/database.js';
import { WalletsService } from '../wallets/wallets.service.js';

/** Erases what a person wrote, at the person's or the operator's word. */
@Injectable()
export class PersonalErasure {
  constructor(
    private readonly database: Database,
    private readonly auth: AuthService,
    private readonly orders: OrdersService,
    private readonly wallets: WalletsService,
    private readonly words: WordsErasure,
  ) {}

  /** Throws `UNAUTHENTICATED` for a wrong password, `ORDER_STATE` while an order of the user is open. */
  async erase(caller: Caller, request: EraseRequest): Promise<void> {
    const userId = await this.userToErase(caller, request);
    const open = await this.database.transaction((tx) => this.orders.countOpen(tx, userId), { userId });
    if (open > 0) {
      const { balance } = await this.wallets.wallet(userId);
      throw new HubError('ORDER_STATE', 'There are still open orders.', { open, balance });
    }
    await this.words.eraseOf(userId);
  }

  private async userToErase(caller: Caller, { userId, password }: EraseRequest): Promise<string> {
    if (caller.kind === 'operator') {
      if (userId === undefined) throw HubError.badMessage([{ path: 'userId', problem: 'is required' }]);
      if (!(await this.auth.exists(userId))) throw new HubError('USER_NOT_FOUND', 'This user does not exist.');
      return userId;
    }
    if (userId !== undefined) throw missingRight('sessions');
    await this.auth.confirm(caller, password);
    return caller.userId;
  }
}
