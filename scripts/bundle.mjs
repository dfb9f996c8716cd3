// Puts the built hub and the packages that it always needs into one file, dist/bundle/start.js: Node looks for, reads and
// links a thousand files in as much time as all the rest of a start takes. What is run by itself stays: dist/start.js.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');

/** Binaries, what is loaded only when it is asked for, and what Nest would load that only the benchmark has installed. */
const APART = [
  ...['@photostructure/sqlite', '@node-rs/argon2'],
  ...['@opentelemetry/*', '@redis/client', '@socket.io/admin-ui'],
  ...['class-validator', 'class-transformer', 'class-transformer/*'],
];

/** What TypeORM and Nest would load if it were there: other databases, other transports. They ask for it in vain, as before. */
const absent = {
  name: 'absent packages',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === absent) return undefined;
      const found = await resolve(path, { ...from, pluginData: absent });
      return found.errors.length === 0 ? found : { path, external: true };
    });
  },
};

await build({
  entryPoints: [join(dist, 'start.js')],
  // As deep as most modules, which find what they read by where they stand.
  outfile: join(dist, 'bundle', 'start.js'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: APART,
  plugins: [absent],
  // Packages that are not modules ask for others in their own way.
  banner: {
    js: `import { createRequire as requireFrom } from 'node:module';
import { fileURLToPath as pathFrom } from 'node:url';
const require = requireFrom(import.meta.url);
const [__filename, __dirname] = ['./start.js', '.'].map((path) => pathFrom(new URL(path, import.meta.url)));`,
  },
  logLevel: 'warning',
  logLimit: 10,
});
