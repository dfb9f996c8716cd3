// Starts the built hub as a child process with its own environment variables.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Returns the process at once; `listening` resolves to the hub's URL, and rejects if the hub exits first. */
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
    child.once('exit', (code) => reject(new Error(`The hub exited with ${code} before it was listening`)));
  });
  return { child, listening };
}
