const { mixinJestEnvironment } = require('@stryker-mutator/jest-runner');
const { TestEnvironment } = require('jest-environment-node');

/** Leaves out the rest of a file when a test of it has failed: the mutant is noticed, and what follows would only take its time. */
class FirstFailure extends TestEnvironment {
  hasFailed = false;

  async handleTestEvent(event) {
    if (event.name === 'test_fn_failure') this.hasFailed = true;
    if (event.name === 'test_start' && this.hasFailed) event.test.mode = 'skip';
  }
}

module.exports = mixinJestEnvironment(FirstFailure);
