// The NestJS baselines: `usual` on TypeORM repositories, `lean` on prepared statements.
import 'reflect-metadata';
import process from 'node:process';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Orders, OrdersGateway } from './gateway.js';
import { LeanOrders } from './lean.orders.js';
import { announce, authenticator, openDatabase } from './parts.js';
import { openStatements } from './statements.js';
import { UsualOrders } from './usual.orders.js';

const database = await openDatabase();
const authenticate = authenticator(database);
const orders =
  process.argv[2] === 'lean' ? new LeanOrders(openStatements(), authenticate) : new UsualOrders(database, authenticate);

@Module({ providers: [OrdersGateway, { provide: Orders, useValue: orders }] })
class BaselineModule {}

const app = await NestFactory.create(BaselineModule, { logger: ['error', 'warn'] });
await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
announce(app.getHttpServer());
