// Ends a hub process as a power cut would, at a named point of its work. Preloaded into a real hub by a test, and by
// nothing else: `node --import ./test/support/crash.points.mjs dist/start.js`, with CRASH_AT=<point>:<nth>, or with a
// message { crashAt: '<point>:<nth>' } over the process's channel. The nth passing of the point, from then on, is the last.
import process from 'node:process';
import { Socket } from 'socket.io';
import { CommandBatch } from '../../dist/commands/command.batch.js';
import { CommandQueue } from '../../dist/commands/command.queue.js';
import { Database } from '../../dist/platform/database.js';
import { HintChannel } from '../../dist/platform/hint.channel.js';
import { RoomFeed } from '../../dist/rooms/room.feed.js';

/** Time for the system to take what was written to sockets before the point. */
const ON_ITS_WAY_MS = 50;

/** The points after a statement of a batch, by the table that the first such statement of a transaction writes to. */
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
let ending = false;

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

/** What was written to sockets until now still gets out; nothing else is written or committed any more. */
function crashOnceSent(point) {
  if (!isReached(point)) return;
  ending = true;
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ON_ITS_WAY_MS);
}

const never = () => new Promise(() => {});

/** Replaces a method by one that is given the old one, bound. */
function around(prototype, name, make) {
  const old = prototype[name];
  if (typeof old !== 'function') throw new Error(`There is no method ${name} to crash in`);
  prototype[name] = function (...given) {
    return make.call(this, old.bind(this), ...given);
  };
}

around(CommandBatch.prototype, 'run', async (run, commands) => {
  if (ending) return never();
  const outcome = await run(commands);
  crash('before-answers');
  return outcome;
});

// A batch is the one transaction that can find out whether it was committed.
around(Database.prototype, 'transaction', (transaction, work, options) =>
  transaction(options?.wasCommitted ? (tx) => watched(tx, work) : work, options),
);

async function watched(tx, work) {
  crash('after-begin');
  const passed = new Set();
  const once = (point) => {
    if (!passed.has(point)) crash(point);
    passed.add(point);
  };
  around(tx, 'query', async (query, sql, parameters) => {
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
    // The embedded database has one for all transactions.
    delete tx.query;
  }
}

async function watchCommit(runner) {
  const connection = await runner.connect();
  const isServer = typeof connection.promise === 'function';
  around(runner, 'commitTransaction', async (commit) => {
    delete runner.commitTransaction;
    // A server's driver has written a statement out when this returns; the embedded database has even done it by then.
    if (isServer) onceSent(connection, () => crash('commit-sent'));
    await commit();
    if (!isServer) crash('commit-sent');
    crash('after-commit');
  });
}

function onceSent(connection, then) {
  around(connection, 'query', (query, ...given) => {
    delete connection.query;
    const command = query(...given);
    then();
    return command;
  });
}

let acks = 0;
let acksOfBatch = 0;

around(CommandQueue.prototype, 'tell', (tell, batch, outcome) => {
  if (ending) return;
  acks = 0;
  acksOfBatch = batch.filter(
    ({ command }, index) => command.by !== null && command.name.startsWith('order:') && outcome.answers[index]?.ok,
  ).length;
  tell(batch, outcome);
});

// The pushes of a batch are written to the sockets first, then the hint is given, then the acknowledgements are written.
around(RoomFeed.prototype, 'offer', (offer, push) => {
  if (ending) return;
  offer(push);
  if (push.role === 'buyer') crashOnceSent('between-pushes');
});

around(HintChannel.prototype, 'tell', (tell) => {
  if (ending) return;
  crashOnceSent('before-hint');
  if (ending) return;
  tell();
  crash('after-hint');
});

around(Socket.prototype, 'ack', (ack, id) => {
  const acknowledge = ack(id);
  return (answer) => {
    const isCommands = answer.ok && answer.data?.orderId !== undefined;
    if (isCommands && !ending && acks === 0) crashOnceSent('before-first-ack');
    if (ending) return;
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
// The channel alone must not keep the process from ending.
process.channel?.unref();
