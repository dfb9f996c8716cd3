// Bundles the compiled hub and its packages into dist/bundle/start.js, because resolving and linking a thousand modules
// takes as long as the rest of a start. The unbundled dist/start.js stays for tests that replace single modules.
import { join } from 'node:path';
import { build } from 'esbuild';

/** Native modules, modules that are loaded on demand, and optional packages of Nest that only the benchmark installs. */
const EXTERNAL = [
  ...['@photostructure/sqlite', '@node-rs/argon2'],
  ...['@opentelemetry/*', '@redis/client', '@socket.io/admin-ui', 'stripe', 'web-push'],
  ...['class-validator', 'class-transformer', 'class-transformer/*'],
];

/** Leaves optional packages of TypeORM and Nest that are not installed (drivers, transports) to fail at run time, as unbundled. */
const missingPackages = {
  name: 'missing packages',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === missingPackages) return undefined;
      const found = await resolve(path, { ...from, pluginData: missingPackages });
      return found.errors.length === 0 ? found : { path, external: true };
    });
  },
};

export async function bundle(dist) {
  await build({
    entryPoints: [join(dist, 'start.js')],
    // As deep as most modules, which find their files relative to import.meta.url.
    outfile: join(dist, 'bundle', 'start.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: EXTERNAL,
    plugins: [missingPackages],
    // CommonJS packages expect these variables.
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module';
import { fileURLToPath as pathFrom } from 'node:url';
const require = requireFrom(import.meta.url);
const [__filename, __dirname] = ['./start.js', '.'].map((path) => pathFrom(new URL(path, import.meta.url)));`,
    },
    logLevel: 'warning',
    logLimit: 10,
  });
}
