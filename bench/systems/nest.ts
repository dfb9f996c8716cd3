// An empty Nest application on the hub's packages: the baseline of the start time.
import 'reflect-metadata';
import process from 'node:process';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

@Controller()
class HealthController {
  @Get('health/ready')
  ready() {
    return { status: 'ready' };
  }
}

@WebSocketGateway()
class EchoGateway {
  @SubscribeMessage('echo')
  echo(_socket: object, message: object) {
    return message;
  }
}

@Module({ controllers: [HealthController], providers: [EchoGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
const address = app.getHttpServer().address();
if (typeof address === 'object' && address) console.log(`listening on http://127.0.0.1:${address.port}`);
