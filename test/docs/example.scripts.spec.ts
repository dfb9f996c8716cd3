import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { expect, test } from '@jest/globals';
import { prepare } from '../support/hub.process.js';
import { freePort } from '../support/server.process.js';

test.each(['bare', 'buyer', 'seller', 'webhook'])(
  '%s.js says in one line what to do when no hub is running',
  async (name) => {
    prepare();
    const url = `http://127.0.0.1:${await freePort()}`;
    const { status, stderr, stdout } = spawnSync(process.execPath, [`examples/${name}.js`], {
      encoding: 'utf8',
      env: { ...process.env, HUB_URL: url },
    });
    expect([status, stdout, stderr]).toEqual([
      1,
      '',
      `No hub answers at ${url}. Start one with npm start, or set HUB_URL.\n`,
    ]);
  },
);
