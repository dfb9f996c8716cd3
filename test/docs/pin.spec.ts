import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CONTRACT_VERSION } from '../../src/contract/wire.js';
import { asyncApi } from '../../src/docs/asyncapi.js';
import { openApi } from '../../src/docs/openapi.js';

const PINNED = `test/docs/contract.v${CONTRACT_VERSION}.json`;

/** What only people read. All else is what a client was built on. */
const words = ['description', 'summary', 'title', 'example', 'examples', 'when', 'effect', 'info', 'tags'];

test('the contract is the one that its version stands for', () => {
  const { components, ...asyncapi } = asyncApi();
  // The schemas of both documents are the same.
  const documents = { openapi: openApi(), asyncapi: { ...asyncapi, messages: components.messages } };
  const now = JSON.parse(JSON.stringify(withoutWords(documents)));
  if (!existsSync(PINNED)) {
    writeFileSync(PINNED, `${JSON.stringify(now, null, 1)}\n`);
    throw new Error(
      `${PINNED} was not there and is written now. Look at what changed in it, commit it, and run again.`,
    );
  }
  const differences = differencesOf(JSON.parse(readFileSync(PINNED, 'utf8')), now, '');
  if (differences.length === 0) return;
  throw new Error(`A shape of the contract has changed:

  ${differences.join('\n  ')}

Would a client that was built before not understand it, or be refused? Then raise CONTRACT_VERSION in src/contract/wire.ts.
If the change is meant, delete ${PINNED} and run this test: it writes the new one.`);
});

test('words may change without a new version, and nothing else', () => {
  const shape = { type: 'object', description: 'One.', properties: { title: { type: 'string', examples: ['a'] } } };
  const reworded = { type: 'object', description: 'Two.', properties: { title: { type: 'string' } } };
  const changed = { type: 'object', properties: { name: { type: 'string' } } };
  expect(differencesOf(withoutWords(shape), withoutWords(reworded), '')).toEqual([]);
  expect(differencesOf(withoutWords(shape), withoutWords(changed), '')).toEqual([
    '/properties/title: is gone',
    '/properties/name: is new',
  ]);
});

/** A field may bear the name of one of the words, so the names of fields are kept. */
function withoutWords(value: unknown, areNames = false): unknown {
  if (Array.isArray(value)) return value.map((part) => withoutWords(part));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => areNames || !words.includes(name))
      .map(([name, part]) => [name, withoutWords(part, name === 'properties' && !areNames)]),
  );
}

function differencesOf(before: unknown, after: unknown, place: string): string[] {
  if (Object.is(before, after)) return [];
  if (before === undefined) return [`${place}: is new`];
  if (after === undefined) return [`${place}: is gone`];
  if (before === null || after === null || typeof before !== 'object' || typeof after !== 'object') {
    return [`${place}: was ${JSON.stringify(before)}, is ${JSON.stringify(after)}`];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const part = (whole: object, name: string) => (whole as Record<string, unknown>)[name];
  return [...names].flatMap((name) => differencesOf(part(before, name), part(after, name), `${place}/${name}`));
}
