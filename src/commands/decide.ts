import { Refusal, usesKeyUp } from '../contract/errors.js';
import { HUB, roles } from '../contract/lifecycle.js';
import type { Answer } from '../contract/wire.js';
import { bookView } from './book.view.js';
import type { Command } from './command.js';
import * as orders from './order.rules.js';
import { memberOf, orderView } from './order.view.js';
import { addStock } from './stock.rules.js';
import { deposit, walletOf, withdraw } from './wallet.rules.js';
import { type Change, pair, type World } from './world.js';

/** Carries out one command on what the batch has loaded: at most once for a key, and with the first answer ever after. */
export function settle(world: World, command: Command, now: number): Answer<unknown> {
  const { by, key } = command;
  if (by === null || key === undefined) return answerTo(world, command, now);

  const first = world.answers.get(pair(by, key.text));
  if (first) {
    if (first.messageHash !== key.messageHash) return refused(new Refusal('KEY_REUSED'));
    return { ...first.answer, replayed: true };
  }
  const answer = answerTo(world, command, now);
  if (mayBeKept(answer)) world.remember({ userId: by, key: key.text, messageHash: key.messageHash, answer });
  return answer;
}

function answerTo(world: World, command: Command, now: number): Answer<unknown> {
  // Decided here, under the batch's locks: the user may have unregistered since the message was let in.
  if (command.by !== null && !world.users.has(command.by)) return refused(new Refusal('UNAUTHENTICATED'));
  const decision = decide(world, command, now);
  if (decision instanceof Refusal) return refused(decision);
  const numbers = world.apply(decision, now);
  return { ok: true, ...result(world, command, decision, numbers, now) };
}

function decide(world: World, command: Command, now: number): orders.Decision {
  switch (command.name) {
    case 'order:place':
      return orders.place(world, command, now);
    case 'order:pay':
      return orders.pay(world, command, now);
    case 'order:ship':
      return orders.ship(world, command, now);
    case 'order:receive':
      return orders.receive(world, command, now);
    case 'order:cancel':
      return orders.cancel(world, command, now);
    case 'order:due':
      return orders.due(world, command, now);
    case 'wallet:deposit':
      return deposit(world, command);
    case 'wallet:withdraw':
      return withdraw(world, command);
    case 'stock:add':
      return addStock(world, command);
  }
}

function result(world: World, command: Command, change: Change, numbers: ReturnType<World['apply']>, now: number) {
  if (change.order) {
    const { after } = change.order;
    const role = roles.find((each) => memberOf(after, each) === command.by);
    return role ? { data: orderView(after, role, now), seq: numbers[role] } : { data: orderView(after, HUB, now) };
  }
  const book = change.stock?.[0]?.book;
  const texts = book && world.texts.get(book.bookNo);
  if (book && texts) return { data: bookView(book, texts) };
  return { data: { balance: walletOf(world, command.by).balance } };
}

function refused(refusal: Refusal): Answer<never> {
  return { ok: false, error: refusal.toBody() };
}

/** A key is used up by a yes and by a no of the rules; never by a message of the wrong shape, or one to be sent again. */
function mayBeKept(answer: Answer<unknown>): boolean {
  return answer.ok || usesKeyUp(answer.error.code);
}
