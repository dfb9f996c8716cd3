// Starts the hub from the bundle (scripts/build/bundle.mjs) if there is one: loading a thousand modules takes twice as long.
import { existsSync } from 'node:fs';

const bundle = new URL('./bundle/start.js', import.meta.url);
await import(existsSync(bundle) ? bundle.href : './start.js');
