import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { defineConfig } from 'vite';
import { withoutContractText } from '../scripts/build/contract.text.mjs';

/** Writes a Brotli copy of every script and stylesheet, so that the hub does not compress at request time. */
const compressedCopies = {
  name: 'compressed-copies',
  writeBundle({ dir }, bundle) {
    for (const name of Object.keys(bundle)) {
      if (!/\.(js|css)$/.test(name)) continue;
      const path = join(dir, name);
      writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
    }
  },
};

/** Chunks that load after the first screen. */
const LATER = ['screens', 'order'];

/** Names them in the page, so that the service worker keeps them from the first visit on. */
const laterChunksInPage = {
  name: 'later-chunks-in-page',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle }) {
      const chunks = Object.values(bundle ?? {}).filter(
        ({ isDynamicEntry, name }) => isDynamicEntry && LATER.includes(name),
      );
      const all = chunks.flatMap((chunk) => [chunk, ...chunk.imports.map((name) => bundle[name])]);
      const names = all
        .filter(({ isEntry }) => !isEntry)
        .flatMap(({ fileName, viteMetadata }) => [fileName, ...viteMetadata.importedCss]);
      const content = [...new Set(names)].map((name) => `./${name}`).join(' ');
      return { html, tags: [{ tag: 'meta', attrs: { name: 'later', content }, injectTo: 'head' }] };
    },
  },
};

export default defineConfig({
  // Relative URLs, so that the pages work behind any path prefix.
  base: './',
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // The Content-Security-Policy allows neither data: URLs nor inline scripts.
    assetsInlineLimit: 0,
    // A preload that failed while the hub was away would be remembered, and the chunk never loaded in this page's life.
    modulePreload: false,
    rollupOptions: {
      // Rollup ignores misplaced PURE annotations in libraries; that only costs some bytes.
      onwarn: (warning, warn) => warning.code !== 'INVALID_ANNOTATION' && warn(warning),
    },
  },
  plugins: [withoutContractText, laterChunksInPage, compressedCopies],
});
