// Starts the built hub for a script, with variables of its own. Gives the process at once, and its address when it listens.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export function startHub(variables, { cwd = process.cwd() } = {}) {
  const child = spawn(process.execPath, [MAIN], {
    cwd,
    env: { ...process.env, REDIS_URL: '', ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const listening = new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      const [url] = /http:\/\/\S+/.exec(printed) ?? [];
      if (url) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`The hub ended with ${code} before it listened`)));
  });
  return { child, listening };
}
