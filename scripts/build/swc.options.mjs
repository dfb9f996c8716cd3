/** How TypeScript becomes JavaScript, in the build and in the tests alike: Nest needs legacy decorators with metadata. */
export const swcOptions = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2023',
  },
  module: { type: 'es6' },
};
