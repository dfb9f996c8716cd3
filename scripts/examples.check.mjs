// Runs what the README shows: `npm start` on an empty database, then the examples against it. What they print must be
// what the README says, but for the ids of orders.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const LIMIT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'order-hub-examples-'));
const children = [];
const timeout = setTimeout(() => fail(`not done within ${LIMIT_MS / 1000} s`), LIMIT_MS);

function start(command, args, environment = {}) {
  // In a process group of its own: npm does not hand signals on to what it started.
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const started = { child, output: '', ended: new Promise((resolve) => child.once('close', resolve)) };
  child.stdout.on('data', (data) => {
    started.output += data;
  });
  children.push(child);
  return started;
}

async function outputOf(started, pattern) {
  for (;;) {
    const found = pattern.exec(started.output);
    if (found) return found;
    if (started.child.exitCode !== null) fail(`ended without ${pattern}:\n${started.output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function shown(script) {
  const readme = readFileSync('README.md', 'utf8');
  const block = new RegExp(`<!-- ${script} prints -->\\n\`\`\`text\\n([\\s\\S]*?)\`\`\``).exec(readme);
  return block?.[1] ?? fail(`the README does not show what ${script} prints`);
}

/** Ids of orders are new each time. */
function withoutIds(text) {
  return text.replace(/^(\w+ +)[0-9a-f]{6}\b/gm, '$1……');
}

function compare(script, output) {
  if (withoutIds(output) === withoutIds(shown(script))) return console.log(`${script} prints what the README shows`);
  return fail(`${script} printed\n${output}\nand the README shows\n${shown(script)}`);
}

function end(status) {
  clearTimeout(timeout);
  for (const { pid, exitCode } of children) if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGTERM');
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = status;
}

function fail(reason) {
  console.error(reason);
  end(1);
  process.exit(1);
}

const hub = start('npm', ['start'], { PORT: '0', DATABASE_URL: `sqlite:${join(folder, 'hub.sqlite')}` });
const [, url] = await outputOf(hub, /listening on (http:\S+)/);
const ready = await fetch(`${url}/health/ready`);
if (ready.status !== 200) fail(`/health/ready answered ${ready.status}`);
console.log(`the hub at ${url} is ready`);

const seller = start('node', ['examples/seller.js'], { HUB_URL: url });
await outputOf(seller, /ready/);
const buyer = start('node', ['examples/buyer.js'], { HUB_URL: url });
await Promise.all([seller.ended, buyer.ended]);
compare('examples/seller.js', seller.output);
compare('examples/buyer.js', buyer.output);
const bare = start('node', ['examples/bare.js'], { HUB_URL: url });
await bare.ended;
compare('examples/bare.js', bare.output);
end(0);
await hub.ended;
