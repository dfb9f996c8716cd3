// Runs the tests of an area against one mutant after another in one process. Jest would load the whole hub again for each,
// which takes several times as long as the tests do.
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

/** With a mutant, what has not ended by then is taken for endless. Without one a test may take its time, on a busy machine. */
const MUTANT_WITHIN_MS = 10_000;
const TEST_WITHIN_MS = 120_000;

class OnceLoaded {
  // What the code that is switched by mutants looks at.
  stryker = {};

  capabilities() {
    return { reloadEnvironment: false };
  }

  async init() {
    globalThis.__stryker__ = this.stryker;
    // A mutant may leave a promise that nobody waits for.
    process.on('unhandledRejection', () => {});
    process.on('uncaughtException', () => {});
    register('./hooks.mjs', import.meta.url);
    for (const name of process.env.MUTANT_TESTS.split(' ')) {
      await import(pathToFileURL(`test/${name}.spec.ts`).href);
    }
  }

  async dryRun() {
    const tests = await this.run(() => true, TEST_WITHIN_MS);
    const { perTest } = this.stryker.mutantCoverage;
    // What a hook does, each of the tests that it was done for relies on.
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
      const tests = await this.run((id) => !testFilter || testFilter.includes(id), MUTANT_WITHIN_MS);
      const endless = determineHitLimitReached(this.stryker.hitCount, hitLimit);
      return toMutantRunResult(endless ?? { status: DryRunStatus.Complete, tests });
    } finally {
      this.stryker.activeMutant = undefined;
    }
  }

  /** Until one fails: then the mutant is noticed, and is taken out again, so that what was begun can end. */
  async run(isWanted, withinMs) {
    const results = [];
    const hasFailed = () => results.some(({ status }) => status === TestStatus.Failed);
    const attempt = async (id, work) => {
      this.stryker.currentTestId = id;
      const started = performance.now();
      const failure = await inTime(work, withinMs).then(
        () => undefined,
        (error) => String(error?.stack ?? error),
      );
      const timeSpentMs = Math.round(performance.now() - started);
      return { id, name: id, timeSpentMs, ...outcome(failure) };
    };
    const visit = async (block) => {
      if (!testsOf(block).some(({ id }) => isWanted(id))) return;
      for (const hook of block.before) {
        const result = await attempt(block.name, hook);
        if (result.status === TestStatus.Failed) results.push(result);
      }
      for (const each of block.tests) {
        if (hasFailed()) break;
        if ('tests' in each) await visit(each);
        else if (isWanted(each.id)) results.push(await attempt(each.id, each.run));
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

async function inTime(work, withinMs) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('It does not end')), withinMs);
  });
  try {
    await Promise.race([Promise.resolve().then(work), late]);
  } finally {
    clearTimeout(timer);
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'once-loaded', OnceLoaded)];
