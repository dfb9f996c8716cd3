import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CONTRACT_VERSION } from '../../src/contract/wire.js';
import { asyncApi } from '../../src/docs/asyncapi.js';
import { openApi } from '../../src/docs/openapi.js';

const PINNED = `test/docs/contract.v${CONTRACT_VERSION}.json`;

/** Documentation only. Clients depend on everything else. */
const documentationKeys = ['description', 'summary', 'title', 'example', 'examples', 'when', 'effect', 'info', 'tags'];

test('the contract matches the pinned documents of its version', () => {
  const { components, ...asyncapi } = asyncApi();
  // Both documents share their schemas.
  const documents = { openapi: openApi(), asyncapi: { ...asyncapi, messages: components.messages } };
  const current = JSON.parse(JSON.stringify(withoutDocumentation(documents)));
  if (!existsSync(PINNED)) {
    writeFileSync(PINNED, `${JSON.stringify(current, null, 1)}\n`);
    throw new Error(`${PINNED} did not exist and has been written. Review the changes, commit it, and run again.`);
  }
  const differences = diff(JSON.parse(readFileSync(PINNED, 'utf8')), current, '');
  if (differences.length === 0) return;
  throw new Error(`A schema of the contract has changed:

  ${differences.join('\n  ')}

If an existing client would not understand it or be refused, raise CONTRACT_VERSION in src/contract/wire.ts.
If the change is intended, delete ${PINNED} and run this test, which writes the new one.`);
});

test('only documentation may change within a version', () => {
  const schema = { type: 'object', description: 'One.', properties: { title: { type: 'string', examples: ['a'] } } };
  const reworded = { type: 'object', description: 'Two.', properties: { title: { type: 'string' } } };
  const changed = { type: 'object', properties: { name: { type: 'string' } } };
  expect(diff(withoutDocumentation(schema), withoutDocumentation(reworded), '')).toEqual([]);
  expect(diff(withoutDocumentation(schema), withoutDocumentation(changed), '')).toEqual([
    '/properties/title: removed',
    '/properties/name: added',
  ]);
});

/** Property names are kept, because a field may be called like a documentation key. */
function withoutDocumentation(value: unknown, isPropertyMap = false): unknown {
  if (Array.isArray(value)) return value.map((child) => withoutDocumentation(child));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => isPropertyMap || !documentationKeys.includes(name))
      .map(([name, child]) => [name, withoutDocumentation(child, name === 'properties' && !isPropertyMap)]),
  );
}

function diff(before: unknown, after: unknown, path: string): string[] {
  if (Object.is(before, after)) return [];
  if (before === undefined) return [`${path}: added`];
  if (after === undefined) return [`${path}: removed`];
  if (before === null || after === null || typeof before !== 'object' || typeof after !== 'object') {
    return [`${path}: was ${JSON.stringify(before)}, is ${JSON.stringify(after)}`];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const child = (parent: object, name: string) => (parent as Record<string, unknown>)[name];
  return [...names].flatMap((name) => diff(child(before, name), child(after, name), `${path}/${name}`));
}
