import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CommandsModule } from '../commands/commands.module.js';
import { Ledger } from './ledger.js';
import { LedgerTotals } from './ledger.totals.js';
import { Wallet, WalletEntry } from './wallet.entity.js';
import { WalletExport } from './wallet.export.js';
import { walletHandlers } from './wallet.handlers.js';
import { WalletsController } from './wallets.controller.js';
import { WalletsService } from './wallets.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Wallet, WalletEntry]), CommandsModule.forFeature(walletHandlers)],
  controllers: [WalletsController],
  providers: [WalletsService, Ledger, WalletExport, LedgerTotals],
  exports: [WalletsService],
})
export class WalletsModule {}
