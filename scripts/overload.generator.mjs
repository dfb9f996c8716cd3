// One of the processes that press on a hub for `overload.mjs`: sends at a rate whatever comes back (an open loop), or keeps
// so many messages under way (a closed one), and counts what it is answered. Speaks WebSocket by hand, a write for all that is
// due on a line, because what it spends on itself is lost to the hub and its database on a small machine.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import process from 'node:process';

const TICK_MS = 5;
const SILENT_AFTER_MS = 6_000;
/** Latencies are counted by the millisecond, the last place is for all that took longer. */
const MS_MAX = 12_000;
const TEXT = 0x81;
const MASKED = 0x80;
const MASK = [0x5a, 0xc3, 0x17, 0x9e];
const OK_AT = '[{"ok":'.length;
const CODE_AT = '[{"ok":false,"error":{"code":"'.length;
const [ZERO, NINE, T] = ['0', '9', 't'].map((text) => text.charCodeAt(0));

const lines = [];
let run;

process.on('message', async (order) => {
  if (order.connect) process.send(await connect(order.connect));
  if (order.press) process.send(await press(order.press));
});

async function connect({ url, buyers, storeId, bookId }) {
  await Promise.all(buyers.map((token) => open(new URL(url), token)));
  for (const line of lines)
    line.place = Buffer.from(`["order:place",${JSON.stringify({ storeId, items: [{ bookId, count: 1 }] })}]`);
  return { connected: lines.length };
}

async function open({ hostname, port }, token) {
  const socket = dial(Number(port), hostname).setNoDelay(true);
  const line = { socket, sent: new Map(), unpaid: [], next: 1, givenUp: 0, unread: Buffer.alloc(0), due: [] };
  lines.push(line);
  socket.write(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
      `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  const [head] = await once(socket, 'data');
  const end = head.indexOf('\r\n\r\n');
  if (!head.toString('latin1').startsWith('HTTP/1.1 101') || end < 0) throw new Error(`No line: ${head}`);
  socket.on('error', (error) => console.error(error.message));
  await new Promise((resolve) => {
    line.onText = (text) => {
      if (text === '2') socket.write(masked(Buffer.from('3')));
      else if (text.startsWith('0')) socket.write(masked(Buffer.from(`40${JSON.stringify({ token })}`)));
      else if (text.startsWith('42["room:ready"')) resolve();
    };
    socket.on('data', (chunk) => read(line, chunk));
    read(line, head.subarray(end + 4));
  });
}

/** Sends `perSecond` for `seconds`, or as fast as `underWay` are answered. Of what was placed a share is paid for, so that what is done costs the same at any rate. */
async function press({ perSecond, underWay, seconds, payShare }) {
  run = {
    ...{ ok: 0, okInTime: 0, paid: 0, codes: {}, sent: 0, payShare },
    ...{ okMs: new Array(MS_MAX + 1).fill(0), refusedMs: new Array(MS_MAX + 1).fill(0) },
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  const end = started + seconds * 1_000;
  for (let now = started; now < end; now = performance.now()) {
    const due = underWay ? underWay - unanswered() : Math.floor(((now - started) / 1_000) * perSecond) - run.sent;
    // Counted from when it was to be sent, also where the sender itself was late: the loop is open.
    for (let count = 0; count < due; count++) {
      say(lines[run.sent % lines.length], underWay ? now : started + (run.sent / perSecond) * 1_000);
    }
    for (const line of lines) flush(line);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  const stopped = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  // What is answered after the flood says nothing of how much is done during it.
  run.okInTime = run.ok;
  const silentAt = stopped + SILENT_AFTER_MS;
  while (unanswered() > 0 && performance.now() < silentAt) await new Promise((resolve) => setTimeout(resolve, 20));
  const result = { ...run, unanswered: unanswered(), cpuUs: user + system };
  for (const line of lines) {
    line.sent.clear();
    line.givenUp = line.next;
  }
  return { ...result, seconds: (stopped - started) / 1_000, drainMs: performance.now() - stopped };
}

function unanswered() {
  return lines.reduce((sum, { sent }) => sum + sent.size, 0);
}

function say(line, at) {
  const id = line.next++;
  const pays = line.unpaid.length > 0;
  line.sent.set(id, { at, pays, within: run });
  run.sent++;
  const message = pays ? Buffer.from(`["order:pay",{"orderId":"${line.unpaid.pop()}"}]`) : line.place;
  line.due.push(masked(Buffer.from(`42${id}`), message));
}

function flush(line) {
  if (line.due.length === 0) return;
  line.socket.write(Buffer.concat(line.due));
  line.due = [];
}

/** A frame as a client must send it. */
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

function read(line, chunk) {
  const bytes = line.unread.length === 0 ? chunk : Buffer.concat([line.unread, chunk]);
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1];
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
    const from = at + head;
    if (from + length > bytes.length) break;
    hear(line, bytes, from, from + length);
    at = from + length;
  }
  line.unread = bytes.subarray(at);
}

function hear(line, bytes, from, to) {
  // `43<id>[{"ok":true,…` or `43<id>[{"ok":false,"error":{"code":"…`
  if (bytes[from] !== ZERO + 4 || bytes[from + 1] !== ZERO + 3) {
    const text = bytes.toString('latin1', from, to);
    if (!text.startsWith('42["order:status"')) line.onText(text);
    return;
  }
  let at = from + 2;
  let id = 0;
  for (; bytes[at] >= ZERO && bytes[at] <= NINE; at++) id = id * 10 + bytes[at] - ZERO;
  const asked = line.sent.get(id);
  if (id < line.givenUp) return;
  if (!asked) throw new Error(`Answered twice, or never asked: ${bytes.toString('latin1', from, to)}`);
  line.sent.delete(id);
  const ms = Math.min(MS_MAX, Math.max(0, Math.round(performance.now() - asked.at)));
  const { within } = asked;
  if (bytes[at + OK_AT] === T) {
    within.ok++;
    within.okMs[ms]++;
    if (asked.pays) within.paid++;
    else if (Math.random() < within.payShare)
      line.unpaid.push(/"orderId":"([^"]+)"/.exec(bytes.toString('latin1', at, at + 200))[1]);
  } else {
    const code = bytes.toString('latin1', at + CODE_AT, bytes.indexOf('"', at + CODE_AT));
    within.codes[code] = (within.codes[code] ?? 0) + 1;
    within.refusedMs[ms]++;
  }
}
