import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import { ActingAuthenticator } from './acting.authenticator.js';
import { StaffController } from './staff.controller.js';
import { StaffMember } from './staff.member.entity.js';
import { StaffService } from './staff.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([StaffMember]), AuthModule],
  controllers: [StaffController],
  providers: [StaffService, ActingAuthenticator],
  exports: [StaffService, ActingAuthenticator],
})
export class StaffModule {}
