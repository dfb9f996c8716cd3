import process from 'node:process';
import { test } from '@jest/globals';

/** Whether the tests run on a database server, and not on the embedded database. */
export const isServer = Boolean(process.env.TEST_DATABASE_URL);

/** Declares nothing: a skipped test would count as one that did not run. */
const nothing = Object.assign(() => {}, { each: () => () => {} });

type Declare = Pick<typeof test, 'each'> & ((name: string, body: () => Promise<void>, timeoutMs?: number) => void);

/** Declares a test of what only a server has, or only the embedded database. */
export const onServer: Declare = isServer ? test : (nothing as unknown as Declare);
export const onEmbedded: Declare = isServer ? (nothing as unknown as Declare) : test;
