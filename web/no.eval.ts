import { config } from 'zod';

/** The Content-Security-Policy forbids what zod would try, to be quicker. Imported before everything that has a shape. */
config({ jitless: true });
