// Stands in for `@jest/globals` when one process runs the tests against one mutant after another.
import { format } from 'node:util';
import { expect } from 'expect';

class Block {
  tests = [];
  before = [];
  after = [];
  constructor(name, parent) {
    this.name = name;
    this.parent = parent;
  }
}

/** The tree of blocks and tests, in source order. */
export const root = new Block('', undefined);
let block = root;

export function describe(name, define) {
  const outer = block;
  block = new Block(`${outer.name} ${name}`.trim(), outer);
  outer.tests.push(block);
  define();
  block = outer;
}

export function test(name, run) {
  block.tests.push({ id: `${block.name} ${name}`.trim(), run });
}

export const beforeAll = (run) => void block.before.push(run);
export const afterAll = (run) => void block.after.unshift(run);
const each = (define) => (rows) => (name, run) => {
  for (const row of rows) {
    const cells = Array.isArray(row) ? row : [row];
    const shown = Array.isArray(row) ? row : Object.values(row).slice(0, 1);
    // The row number keeps names unique.
    define(`${format(name, ...shown.map(String))} (${rows.indexOf(row)})`, () => run(...cells));
  }
};
test.each = each(test);
describe.each = each(describe);

export { expect };
