import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKey } from './api.key.entity.js';
import { ApiKeysService } from './api.keys.service.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { BearerAuthenticator } from './bearer.authenticator.js';
import { KnownAddress } from './known.address.entity.js';
import { KnownAddresses } from './known.addresses.js';
import { LoginThrottle } from './login.throttle.js';
import { EndedSession, Session } from './session.entity.js';
import { SessionRevocation } from './session.revocation.js';
import { SessionsService } from './sessions.service.js';
import { TokensController } from './tokens.controller.js';
import { User } from './user.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, Session, EndedSession, ApiKey, KnownAddress])],
  controllers: [AuthController, TokensController],
  providers: [
    AuthService,
    KnownAddresses,
    LoginThrottle,
    SessionsService,
    ApiKeysService,
    BearerAuthenticator,
    SessionRevocation,
  ],
  exports: [AuthService, SessionsService, ApiKeysService, BearerAuthenticator],
})
export class AuthModule {}
