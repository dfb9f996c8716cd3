import { Controller, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Page } from '../contract/fields.js';
import type { WalletExportRequest } from '../contract/finding.js';
import type {
  DepositRequest,
  EntriesRequest,
  Entry,
  MovementRequest,
  TotalsRequest,
  Wallet,
  WalletBalance,
  WalletTotals,
} from '../contract/wallet.js';
import type { Answer } from '../contract/wire.js';
import { accountOf, type Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { LedgerTotals } from './ledger.totals.js';
import { WalletExport } from './wallet.export.js';
import { WalletsService } from './wallets.service.js';

@Controller()
export class WalletsController {
  constructor(
    private readonly wallets: WalletsService,
    private readonly exporter: WalletExport,
    private readonly ledger: LedgerTotals,
  ) {}

  @ContractRoute('wallet')
  wallet(@CurrentUser() caller: Caller, @Input() _nothing: object): Promise<Wallet> {
    return this.wallets.wallet(accountOf(caller));
  }

  @ContractRoute('deposit')
  deposit(@CurrentUser() caller: Caller, @Input() request: DepositRequest): Promise<Answer<WalletBalance>> {
    return this.wallets.deposit(caller, request);
  }

  @ContractRoute('withdraw')
  withdraw(@CurrentUser() caller: Caller, @Input() request: MovementRequest): Promise<Answer<WalletBalance>> {
    return this.wallets.withdraw(caller, request);
  }

  @ContractRoute('entries')
  entries(@CurrentUser() caller: Caller, @Input() request: EntriesRequest): Promise<Page<Entry>> {
    return this.wallets.entries(accountOf(caller), request);
  }

  @ContractRoute('walletExport')
  export(@CurrentUser() caller: Caller, @Input() request: WalletExportRequest, @Res() response: Response): void {
    this.exporter.send(caller, request, response);
  }

  @ContractRoute('walletTotals')
  totals(@CurrentUser() caller: Caller, @Input() request: TotalsRequest): Promise<WalletTotals> {
    return this.ledger.read(caller, request);
  }
}
