// A Stryker test runner that runs the tests of an area against one mutant after another in one process. Jest would load the
// hub again for each mutant, which takes several times as long as the tests.
import { register } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { root } from './globals.mjs';

/** Timeouts of a test or hook: with a mutant, after which it counts as endless, and without one. */
const MUTANT_TIMEOUT_MS = 10_000;
const TEST_TIMEOUT_MS = 120_000;

class SingleProcessRunner {
  // The instrumented code reads this object.
  stryker = {};

  capabilities() {
    return { reloadEnvironment: false };
  }

  async init() {
    globalThis.__stryker__ = this.stryker;
    // A mutant may leave an unhandled rejection behind.
    process.on('unhandledRejection', () => {});
    process.on('uncaughtException', () => {});
    register('./hooks.mjs', import.meta.url);
    for (const name of process.env.MUTANT_TESTS.split(' ')) {
      await import(pathToFileURL(`test/${name}.spec.ts`).href);
    }
  }

  async dryRun() {
    const tests = await this.run(() => true, TEST_TIMEOUT_MS);
    const { perTest } = this.stryker.mutantCoverage;
    // Code that a hook covers counts for every test of its block.
    for (const block of blocksOf(root)) {
      const hooks = perTest[block.name];
      delete perTest[block.name];
      for (const { id } of hooks ? testsOf(block) : []) perTest[id] = { ...hooks, ...perTest[id] };
    }
    return { status: DryRunStatus.Complete, tests, mutantCoverage: this.stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    Object.assign(this.stryker, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    try {
      const tests = await this.run((id) => !testFilter || testFilter.includes(id), MUTANT_TIMEOUT_MS);
      const hitLimitReached = determineHitLimitReached(this.stryker.hitCount, hitLimit);
      return toMutantRunResult(hitLimitReached ?? { status: DryRunStatus.Complete, tests });
    } finally {
      this.stryker.activeMutant = undefined;
    }
  }

  /** Stops at the first failure, and deactivates the mutant so that the remaining hooks can clean up. */
  async run(isSelected, timeoutMs) {
    const results = [];
    const hasFailed = () => results.some(({ status }) => status === TestStatus.Failed);
    const attempt = async (id, work) => {
      this.stryker.currentTestId = id;
      const started = performance.now();
      const failure = await withTimeout(work, timeoutMs).then(
        () => undefined,
        (error) => String(error?.stack ?? error),
      );
      const timeSpentMs = Math.round(performance.now() - started);
      return { id, name: id, timeSpentMs, ...outcome(failure) };
    };
    const visit = async (block) => {
      if (!testsOf(block).some(({ id }) => isSelected(id))) return;
      for (const hook of block.before) {
        const result = await attempt(block.name, hook);
        if (result.status === TestStatus.Failed) results.push(result);
      }
      for (const each of block.tests) {
        if (hasFailed()) break;
        if ('tests' in each) await visit(each);
        else if (isSelected(each.id)) results.push(await attempt(each.id, each.run));
      }
      if (hasFailed()) this.stryker.activeMutant = undefined;
      for (const hook of block.after) {
        const result = await attempt(block.name, hook);
        if (result.status === TestStatus.Failed && !hasFailed()) results.push(result);
      }
    };
    await visit(root);
    this.stryker.currentTestId = undefined;
    return results;
  }
}

function testsOf(block) {
  return block.tests.flatMap((each) => ('tests' in each ? testsOf(each) : [each]));
}

function blocksOf(block) {
  return [block, ...block.tests.flatMap((each) => ('tests' in each ? blocksOf(each) : []))];
}

function outcome(failureMessage) {
  return failureMessage === undefined ? { status: TestStatus.Success } : { status: TestStatus.Failed, failureMessage };
}

async function withTimeout(work, timeoutMs) {
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('Timed out')), timeoutMs);
  });
  try {
    await Promise.race([Promise.resolve().then(work), expired]);
  } finally {
    clearTimeout(timer);
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'single-process', SingleProcessRunner)];
