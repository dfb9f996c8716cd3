import process from 'node:process';
import shared from './jest.config.js';

/** What Stryker runs against each mutant: the tests of its area alone, since loading all would take longer than running them. */
export default {
  ...shared,
  testMatch: (process.env.MUTANT_TESTS ?? '').split(' ').map((name) => `**/test/${name}.spec.ts`),
  testEnvironment: './jest.mutants.environment.cjs',
  // What a mutant keeps from ending is noticed sooner.
  testTimeout: 6_000,
  maxWorkers: 1,
};
