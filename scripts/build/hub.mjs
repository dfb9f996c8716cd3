// Compiles src into dist and bundles it. SWC takes a second where tsc takes fifteen; `npm run types` checks the types.
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';
import { bundle } from './bundle.mjs';
import { swcOptions } from './swc.options.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const src = join(root, 'src');
const dist = join(root, 'dist');

async function compile(path) {
  const output = join(dist, path.replace(/\.ts$/, '.js'));
  const { code, map } = await transformFile(join(src, path), {
    ...swcOptions,
    swcrc: false,
    sourceMaps: true,
    inlineSourcesContent: false,
    sourceFileName: relative(dirname(output), join(src, path)),
  });
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, `${code}//# sourceMappingURL=${basename(output)}.map\n`);
  await writeFile(`${output}.map`, map);
}

async function copy(path) {
  await mkdir(dirname(join(dist, path)), { recursive: true });
  await copyFile(join(src, path), join(dist, path));
}

const files = await readdir(src, { recursive: true });
await Promise.all(files.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')).map(compile));
// The style and the script of a page.
await Promise.all(files.filter((path) => /\.(css|js)$/.test(path)).map(copy));
await bundle(dist);
