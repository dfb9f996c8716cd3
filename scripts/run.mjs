// Prepares the clone, then runs a module in this process, so that Node's flags apply to it and signals reach it:
//   node scripts/run.mjs dist/main.js [argument...]
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { prepare } from './prepare.mjs';

await prepare();
process.argv.splice(1, 1);
await import(pathToFileURL(resolve(process.argv[1])).href);
