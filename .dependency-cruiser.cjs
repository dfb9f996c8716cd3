/** Who may import whom: contract < platform < auth < staff, rooms < commands < stores < orders, wallets < payments < accounts. */
const forbid = (name, from, to, comment) => ({ name, comment, severity: 'error', from, to });

/** A folder of src, and the folders below it that it may import from. Its own is always allowed. */
const house = {
  contract: [],
  client: ['contract'],
  react: ['contract', 'client'],
  platform: ['contract'],
  auth: ['contract', 'platform'],
  staff: ['contract', 'platform', 'auth'],
  rooms: ['contract', 'platform'],
  commands: ['contract', 'platform', 'rooms'],
  wallets: ['contract', 'platform', 'commands'],
  stores: ['contract', 'platform', 'commands'],
  orders: ['contract', 'platform', 'staff', 'rooms', 'commands', 'stores'],
  payments: ['contract', 'platform', 'commands', 'orders'],
  docs: ['contract', 'platform'],
  pages: ['contract'],
  webhooks: ['contract', 'platform', 'rooms'],
  push: ['contract', 'platform', 'rooms'],
  accounts: [
    'contract',
    'platform',
    'auth',
    'staff',
    'rooms',
    'commands',
    'wallets',
    'stores',
    'orders',
    'payments',
    'webhooks',
    'push',
  ],
  sandbox: ['contract', 'platform', 'rooms', 'commands', 'orders', 'payments', 'webhooks', 'push'],
};

module.exports = {
  forbidden: [
    ...Object.entries(house).map(([folder, below]) =>
      forbid(
        `${folder}-imports-only-what-is-below`,
        { path: `^src/${folder}/` },
        { path: '^src/(?!config\\.ts$)', pathNot: `^src/(${[folder, ...below].join('|')})/` },
        'A folder knows only those below it; features meet at services, never at each other’s insides.',
      ),
    ),
    forbid(
      'contract-imports-zod-only',
      { path: '^src/contract/' },
      { pathNot: ['^src/contract/', 'node_modules/zod/'] },
      'Pages and clients read the contract too: nothing of Node, Nest or TypeORM may come with it.',
    ),
    forbid(
      'client-imports-socket-io-client-only',
      { path: '^src/client/' },
      { pathNot: ['^src/(client|contract)/', 'node_modules/socket\\.io-client/'] },
      'It runs in browsers as in Node, and brings nothing along that it does not need.',
    ),
    forbid(
      'react-hooks-import-react-only',
      { path: '^src/react/' },
      { pathNot: ['^src/(react|client|contract)/', 'node_modules/(@types/)?react/'] },
      'A page brings React along; the hooks bring nothing else.',
    ),
    forbid(
      'entities-stay-at-home',
      { path: '^src/(\\w+)/' },
      { path: '\\.entity\\.ts$', pathNot: '^src/$1/' },
      'Features meet at services, never at each other’s tables.',
    ),
    forbid(
      'socket-io-at-the-door-only',
      { path: '^src/', pathNot: '^src/(platform|rooms)/' },
      { path: 'node_modules/socket\\.io/' },
      'Features are handed typed messages; they do not know what carried them.',
    ),
    forbid(
      'examples-use-public-things-only',
      { path: '^(examples|demo)/' },
      { path: '^(src|test)/' },
      'A reader copies them.',
    ),
    forbid(
      'pages-are-a-client',
      { path: '^web/' },
      { path: '^(src/(?!client/|contract/|react/)|test/|examples/|demo/)' },
      'The browser pages can do what any client can, in the same words.',
    ),
    forbid('no-circles', { pathNot: '^test/' }, { circular: true }, 'A circle has no story to tell.'),
    forbid(
      'no-orphans',
      { orphan: true, path: '^src/', pathNot: '^src/docs/page\\.script\\.js$' },
      {},
      'Nobody needs this file.',
    ),
    forbid('no-missing', {}, { couldNotResolve: true }, 'It must be installed or written.'),
    forbid(
      'no-dev-in-src',
      { path: '^src/(?!react/)' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
      'It would be missing in production.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'import', 'default'] },
  },
};
