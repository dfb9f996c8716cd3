import { config } from 'zod';

/** The Content-Security-Policy forbids zod's eval-based JIT. Imported before any module that defines a schema. */
config({ jitless: true });
