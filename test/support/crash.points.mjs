// Kills a hub process with SIGKILL at a named point of its work. Preloaded by tests only:
// `node --import ./test/support/crash.points.mjs dist/start.js`, armed with CRASH_AT=<point>:<nth> or with an IPC message
// { crashAt: '<point>:<nth>' }. The process dies at the nth passing of the point from then on.
import process from 'node:process';
import { Socket } from 'socket.io';
import { CommandBatch } from '../../dist/commands/command.batch.js';
import { CommandQueue } from '../../dist/commands/command.queue.js';
import { Database } from '../../dist/platform/database/database.js';
import { WakeupChannel } from '../../dist/platform/wakeup.channel.js';
import { EventSubscription } from '../../dist/rooms/event.subscription.js';

/** Time for the kernel to send what was written to sockets before the point. */
const FLUSH_MS = 50;

/** Points after a transaction's first write to a table. */
const AFTER_WRITE = {
  'after-orders': 'orders',
  'after-stock': 'book_stock',
  'after-wallets': 'wallets',
  'after-rooms': 'rooms',
  'after-wallet-entries': 'wallet_entries',
  'after-events': 'room_events',
  'after-answers': 'command_answers',
  'after-signature': 'hub_batches',
};
const WRITE = /^(?:INSERT INTO|UPDATE) (\w+) /;

let armed;
let left = 0;
let crashing = false;

function arm(crashAt) {
  const [point, nth = '1'] = crashAt.split(':');
  armed = point;
  left = Number(nth);
}

function isReached(point) {
  return point === armed && --left === 0;
}

/** Nothing runs after this line. */
function crash(point) {
  if (isReached(point)) process.kill(process.pid, 'SIGKILL');
}

/** Lets pending socket writes flush, but nothing more is written or committed. */
function crashOnceSent(point) {
  if (!isReached(point)) return;
  crashing = true;
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), FLUSH_MS);
}

const never = () => new Promise(() => {});

/** Replaces a method; the wrapper receives the bound original first. */
function wrap(prototype, name, wrapper) {
  const original = prototype[name];
  if (typeof original !== 'function') throw new Error(`There is no method ${name} to wrap`);
  prototype[name] = function (...args) {
    return wrapper.call(this, original.bind(this), ...args);
  };
}

wrap(CommandBatch.prototype, 'run', async (run, commands) => {
  if (crashing) return never();
  const outcome = await run(commands);
  crash('before-answers');
  return outcome;
});

// Only a batch's transaction passes `wasCommitted`.
wrap(Database.prototype, 'transaction', (transaction, work, options) =>
  transaction(options?.wasCommitted ? (tx) => watchWrites(tx, work) : work, options),
);

async function watchWrites(tx, work) {
  crash('after-begin');
  const passed = new Set();
  const once = (point) => {
    if (!passed.has(point)) crash(point);
    passed.add(point);
  };
  wrap(tx, 'query', async (query, sql, parameters) => {
    const [, table] = WRITE.exec(sql) ?? [];
    if (table) once('before-first-write');
    if (table === 'hub_batches') once('before-signature');
    const result = await query(sql, parameters);
    if (sql.startsWith('SELECT')) once('after-first-locks');
    for (const [point, written] of Object.entries(AFTER_WRITE)) if (table === written) once(point);
    return result;
  });
  try {
    const result = await work(tx);
    await watchCommit(tx.queryRunner);
    return result;
  } finally {
    // The embedded database reuses one `tx` for all transactions.
    delete tx.query;
  }
}

async function watchCommit(runner) {
  const connection = await runner.connect();
  const isServer = typeof connection.promise === 'function';
  wrap(runner, 'commitTransaction', async (commit) => {
    delete runner.commitTransaction;
    // A server driver has sent the statement when `query` returns; the embedded database has already executed it.
    if (isServer) onceSent(connection, () => crash('commit-sent'));
    await commit();
    if (!isServer) crash('commit-sent');
    crash('after-commit');
  });
}

function onceSent(connection, then) {
  wrap(connection, 'query', (query, ...args) => {
    delete connection.query;
    const command = query(...args);
    then();
    return command;
  });
}

let acks = 0;
let acksOfBatch = 0;

wrap(CommandQueue.prototype, 'publish', (publish, batch, outcome) => {
  if (crashing) return;
  acks = 0;
  acksOfBatch = batch.filter(
    ({ command }, index) => command.actorId !== null && command.name.startsWith('order:') && outcome.answers[index]?.ok,
  ).length;
  publish(batch, outcome);
});

// A batch's pushes are written to the sockets first, then the wakeup is sent, then the acknowledgements are written.
wrap(EventSubscription.prototype, 'deliver', (deliver, push) => {
  if (crashing) return;
  deliver(push);
  if (push.role === 'buyer') crashOnceSent('between-pushes');
});

wrap(WakeupChannel.prototype, 'notify', (notify) => {
  if (crashing) return;
  crashOnceSent('before-wakeup');
  if (crashing) return;
  notify();
  crash('after-wakeup');
});

wrap(Socket.prototype, 'ack', (ack, id) => {
  const acknowledge = ack(id);
  return (answer) => {
    const isCommands = answer.ok && answer.data?.orderId !== undefined;
    if (isCommands && !crashing && acks === 0) crashOnceSent('before-first-ack');
    if (crashing) return;
    acknowledge(answer);
    if (!isCommands) return;
    acks++;
    if (acks === 1 && acksOfBatch > 1) crashOnceSent('after-first-ack');
    if (acks === acksOfBatch) crashOnceSent('after-last-ack');
  };
});

if (process.env.CRASH_AT) arm(process.env.CRASH_AT);
process.on('message', ({ crashAt }) => {
  arm(crashAt);
  process.send({ armed: crashAt });
});
// The IPC channel must not keep the process alive.
process.channel?.unref();
