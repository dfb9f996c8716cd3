// Starts the hub: in one file, where the build has made that (scripts/bundle.mjs). A thousand modules take twice as long.
import { existsSync } from 'node:fs';

const bundle = new URL('./bundle/start.js', import.meta.url);
await import(existsSync(bundle) ? bundle.href : './start.js');
