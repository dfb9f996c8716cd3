// A load generator of `overload.mjs`: sends commands at a fixed rate (open loop) or keeps a number in flight (closed loop), and
// counts the answers. It writes WebSocket frames by hand, all that are due on a connection in one write, because on a small
// machine every cycle it spends is taken from the hub and its database.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as tcpConnect } from 'node:net';
import process from 'node:process';

const TICK_MS = 5;
const DRAIN_TIMEOUT_MS = 6_000;
/** Latency histograms have a bucket per millisecond; the last one counts everything slower. */
const MS_MAX = 12_000;
const TEXT = 0x81;
const MASKED = 0x80;
const MASK = [0x5a, 0xc3, 0x17, 0x9e];
const OK_AT = '[{"ok":'.length;
const CODE_AT = '[{"ok":false,"error":{"code":"'.length;
const [ZERO, NINE, T] = ['0', '9', 't'].map((text) => text.charCodeAt(0));

const connections = [];
let run;

process.on('message', async (request) => {
  if (request.connect) process.send(await connectAll(request.connect));
  if (request.flood) process.send(await flood(request.flood));
});

async function connectAll({ url, buyers, storeId, bookId }) {
  await Promise.all(buyers.map((token) => open(new URL(url), token)));
  for (const connection of connections)
    connection.placeMessage = Buffer.from(
      `["order:place",${JSON.stringify({ storeId, items: [{ bookId, count: 1 }] })}]`,
    );
  return { connected: connections.length };
}

/** Opens a Socket.IO connection over WebSocket; resolves once its room is ready. */
async function open({ hostname, port }, token) {
  const socket = tcpConnect(Number(port), hostname).setNoDelay(true);
  const connection = {
    ...{ socket, pending: new Map(), nextId: 1, abandonedBelow: 0 },
    ...{ unpaidOrders: [], unread: Buffer.alloc(0), outgoing: [] },
  };
  connections.push(connection);
  socket.write(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
      `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  const [head] = await once(socket, 'data');
  const end = head.indexOf('\r\n\r\n');
  if (!head.toString('latin1').startsWith('HTTP/1.1 101') || end < 0) throw new Error(`Upgrade refused: ${head}`);
  socket.on('error', (error) => console.error(error.message));
  await new Promise((resolve) => {
    connection.onText = (text) => {
      if (text === '2') socket.write(masked(Buffer.from('3')));
      else if (text.startsWith('0')) socket.write(masked(Buffer.from(`40${JSON.stringify({ token })}`)));
      else if (text.startsWith('42["room:ready"')) resolve();
    };
    socket.on('data', (chunk) => readFrames(connection, chunk));
    readFrames(connection, head.subarray(end + 4));
  });
}

/**
 * Sends `perSecond` commands for `seconds`, or keeps `inFlight` pending. A share of the placed orders is paid, so that a
 * completed command costs the same on average at any rate.
 */
async function flood({ perSecond, inFlight, seconds, payShare }) {
  run = {
    ...{ ok: 0, okInTime: 0, paid: 0, codes: {}, sent: 0, payShare },
    ...{ okMs: new Array(MS_MAX + 1).fill(0), rejectedMs: new Array(MS_MAX + 1).fill(0) },
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  const end = started + seconds * 1_000;
  for (let now = started; now < end; now = performance.now()) {
    const due = inFlight ? inFlight - countPending() : Math.floor(((now - started) / 1_000) * perSecond) - run.sent;
    // In the open loop latency counts from the due time, so that a late sender cannot hide it.
    for (let count = 0; count < due; count++) {
      enqueue(connections[run.sent % connections.length], inFlight ? now : started + (run.sent / perSecond) * 1_000);
    }
    for (const connection of connections) flush(connection);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  const stopped = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  // Answers after the flood do not count towards its throughput.
  run.okInTime = run.ok;
  const drainEnd = stopped + DRAIN_TIMEOUT_MS;
  while (countPending() > 0 && performance.now() < drainEnd) await new Promise((resolve) => setTimeout(resolve, 20));
  const result = { ...run, unanswered: countPending(), cpuUs: user + system };
  for (const connection of connections) {
    connection.pending.clear();
    connection.abandonedBelow = connection.nextId;
  }
  return { ...result, seconds: (stopped - started) / 1_000, drainMs: performance.now() - stopped };
}

function countPending() {
  return connections.reduce((sum, { pending }) => sum + pending.size, 0);
}

function enqueue(connection, dueAt) {
  const id = connection.nextId++;
  const isPayment = connection.unpaidOrders.length > 0;
  connection.pending.set(id, { dueAt, isPayment, run });
  run.sent++;
  const message = isPayment
    ? Buffer.from(`["order:pay",{"orderId":"${connection.unpaidOrders.pop()}"}]`)
    : connection.placeMessage;
  connection.outgoing.push(masked(Buffer.from(`42${id}`), message));
}

function flush(connection) {
  if (connection.outgoing.length === 0) return;
  connection.socket.write(Buffer.concat(connection.outgoing));
  connection.outgoing = [];
}

/** A masked text frame, as RFC 6455 requires of clients. */
function masked(...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = length < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(head + 4 + length);
  frame[0] = TEXT;
  frame[1] = MASKED | (length < 126 ? length : 126);
  if (head === 4) frame.writeUInt16BE(length, 2);
  frame.set(MASK, head);
  let at = 0;
  for (const part of parts) for (const byte of part) frame[head + 4 + at] = byte ^ MASK[at++ & 3];
  return frame;
}

function readFrames(connection, chunk) {
  const bytes = connection.unread.length === 0 ? chunk : Buffer.concat([connection.unread, chunk]);
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1];
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
    const start = at + head;
    if (start + length > bytes.length) break;
    readPayload(connection, bytes, start, start + length);
    at = start + length;
  }
  connection.unread = bytes.subarray(at);
}

/** Reads an acknowledgement byte by byte, because parsing JSON would dominate the generator's CPU time. */
function readPayload(connection, bytes, start, end) {
  // `43<id>[{"ok":true,…` or `43<id>[{"ok":false,"error":{"code":"…`
  if (bytes[start] !== ZERO + 4 || bytes[start + 1] !== ZERO + 3) {
    const text = bytes.toString('latin1', start, end);
    if (!text.startsWith('42["order:status"')) connection.onText(text);
    return;
  }
  let at = start + 2;
  let id = 0;
  for (; bytes[at] >= ZERO && bytes[at] <= NINE; at++) id = id * 10 + bytes[at] - ZERO;
  const command = connection.pending.get(id);
  if (id < connection.abandonedBelow) return;
  if (!command) throw new Error(`Duplicate or unexpected answer: ${bytes.toString('latin1', start, end)}`);
  connection.pending.delete(id);
  const ms = Math.min(MS_MAX, Math.max(0, Math.round(performance.now() - command.dueAt)));
  const counts = command.run;
  if (bytes[at + OK_AT] === T) {
    counts.ok++;
    counts.okMs[ms]++;
    if (command.isPayment) counts.paid++;
    else if (Math.random() < counts.payShare)
      connection.unpaidOrders.push(/"orderId":"([^"]+)"/.exec(bytes.toString('latin1', at, at + 200))[1]);
  } else {
    const code = bytes.toString('latin1', at + CODE_AT, bytes.indexOf('"', at + CODE_AT));
    counts.codes[code] = (counts.codes[code] ?? 0) + 1;
    counts.rejectedMs[ms]++;
  }
}
