// One of the processes that press on a hub for `overload.mjs`: sends at a rate whatever comes back (an open loop), or keeps
// so many messages under way (a closed one), and counts what it is answered. Speaks in bare frames, because what it spends on
// itself is lost to the hub on a small machine.
import process from 'node:process';
import WebSocket from 'ws';

const TICK_MS = 5;
const SILENT_AFTER_MS = 6_000;

const lines = [];
let run;

process.on('message', async (order) => {
  if (order.connect) process.send(await connect(order.connect));
  if (order.press) process.send(await press(order.press));
  if (order.end) process.exit(0);
});

async function connect({ url, buyers, storeId, bookId }) {
  await Promise.all(
    buyers.map((token) => open(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, token)),
  );
  for (const line of lines) line.place = JSON.stringify({ storeId, items: [{ bookId, count: 1 }] });
  return { connected: lines.length };
}

function open(url, token) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const line = { socket, sent: new Map(), unpaid: [], next: 1 };
    lines.push(line);
    socket.on('error', reject);
    socket.on('message', (data) => {
      const frame = data.toString('latin1');
      if (frame.startsWith('43')) hear(line, frame);
      else if (frame === '2') socket.send('3');
      else if (frame.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`);
      else if (frame.startsWith('42["room:ready"')) resolve();
    });
  });
}

/** Sends `perSecond` for `seconds`, or as fast as `underWay` are answered; a share of them pays for what was placed. */
async function press({ perSecond, underWay, seconds, payShare }) {
  run = { ok: 0, okInTime: 0, paid: 0, codes: {}, okMs: [], refusedMs: [], sent: 0, payShare, underWay };
  const started = performance.now();
  const end = started + seconds * 1_000;
  for (let now = started; now < end; now = performance.now()) {
    const due = underWay
      ? underWay - lines.reduce((sum, { sent }) => sum + sent.size, 0)
      : Math.floor(((now - started) / 1_000) * perSecond) - run.sent;
    for (let count = 0; count < due; count++) say(lines[run.sent % lines.length], now);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  const stopped = performance.now();
  // What is answered after the flood says nothing of how much is done during it.
  run.okInTime = run.ok;
  const silentAt = stopped + SILENT_AFTER_MS;
  while (lines.some(({ sent }) => sent.size > 0) && performance.now() < silentAt) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const unanswered = lines.reduce((sum, { sent }) => sum + sent.size, 0);
  for (const { sent } of lines) sent.clear();
  return { ...run, unanswered, seconds: (stopped - started) / 1_000, drainMs: performance.now() - stopped };
}

function say(line, now) {
  const id = line.next++;
  const pays = line.unpaid.length > 0 && Math.random() < run.payShare;
  line.sent.set(id, { now, pays, within: run });
  run.sent++;
  const message = pays ? `["order:pay",{"orderId":"${line.unpaid.pop()}"}]` : `["order:place",${line.place}]`;
  line.socket.send(`42${id}${message}`);
}

function hear(line, frame) {
  const id = Number(/^43(\d+)/.exec(frame)?.[1]);
  const asked = line.sent.get(id);
  if (!asked) return;
  line.sent.delete(id);
  const { now, pays, within } = asked;
  const ms = performance.now() - now;
  if (frame.includes('"ok":true')) {
    within.ok++;
    if (pays) within.paid++;
    within.okMs.push(ms);
    if (!pays) line.unpaid.push(/"orderId":"([^"]+)"/.exec(frame)[1]);
  } else {
    const [, code] = /"code":"(\w+)"/.exec(frame);
    within.codes[code] = (within.codes[code] ?? 0) + 1;
    within.refusedMs.push(ms);
  }
}
