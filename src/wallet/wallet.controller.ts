import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { z } from 'zod';
import { CommandQueue } from '../commands/command.queue.js';
import type { EntriesRequest, movementRequest, Wallet } from '../contract/wallet.js';
import type { Caller } from '../platform/caller.js';
import { FromCaller, Input, reply, Serves } from '../platform/http.js';
import { WalletService } from './wallet.service.js';

type MovementRequest = z.infer<typeof movementRequest>;

@Controller()
export class WalletController {
  constructor(
    private readonly wallets: WalletService,
    private readonly commands: CommandQueue,
  ) {}

  @Serves('wallet')
  async wallet(@FromCaller() { userId }: Caller, @Input() _nothing: object): Promise<Wallet> {
    return { balance: await this.wallets.balance(userId) };
  }

  @Serves('deposit')
  async deposit(
    @FromCaller() caller: Caller,
    @Input() request: MovementRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.commands.give<Wallet>('wallet:deposit', caller.userId, request, caller));
  }

  @Serves('withdraw')
  async withdraw(
    @FromCaller() caller: Caller,
    @Input() request: MovementRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    return reply(response, await this.commands.give<Wallet>('wallet:withdraw', caller.userId, request, caller));
  }

  @Serves('entries')
  entries(@FromCaller() { userId }: Caller, @Input() request: EntriesRequest) {
    return this.wallets.entries(userId, request);
  }
}
