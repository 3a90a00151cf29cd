// Holds HOUSE.md's import arrows. Each room lists what it may import; everything else is refused.
const arrows = {
  'solver/types': [],
  'solver/market': ['solver/types'],
  'solver/certificate': ['solver/types', 'solver/market'],
  'solver/engine': ['solver/types', 'solver/market'],
  'solver/policy': ['solver/types', 'solver/market'],
  'solver/quoting': [
    'solver/types',
    'solver/market',
    'solver/certificate',
    'solver/engine',
    'solver/policy',
    'contracts-abi',
  ],
  'solver/keeper': [
    'solver/types',
    'solver/market',
    'solver/policy',
    'solver/quoting',
    'contracts-abi',
  ],
  'solver/backtest': ['solver/types', 'solver/market', 'solver/policy', 'solver/quoting'],
  'solver/auction': [
    'solver/types',
    'solver/market',
    'solver/engine',
    'solver/certificate',
    'contracts-abi',
  ],
  'solver/webhooks': ['solver/types'],
  'solver/settlement': ['solver/types', 'solver/auction', 'contracts-abi'],
  'solver/filling': [
    'solver/types',
    'solver/market',
    'solver/engine',
    'solver/settlement',
    // A desk clears orders that net by the same function as the auction's report.
    'solver/auction',
    'contracts-abi',
  ],
  'solver/cow': ['solver/types', 'solver/market'],
  'solver/adapters': ['solver/types', 'solver/market', 'contracts-abi'],
  'solver/lab': ['solver/types', 'solver/market', 'solver/adapters', 'contracts-abi'],
  'contracts-abi': [],
};
const rooms = Object.entries(arrows).map(([room, allowed]) => ({
  name: `room ${room}`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: {
    path: '^(solver|api|assembly|contracts-abi|test)/',
    pathNot: [room, ...allowed].map((name) => `^${name}/`),
  },
}));
module.exports = {
  forbidden: [
    { name: 'no circles', severity: 'error', from: {}, to: { circular: true } },
    ...rooms,
    {
      name: 'api enters the domain by its door',
      severity: 'error',
      from: { path: '^api/', pathNot: '^api/(cli|client)/' },
      to: { path: '^solver/', pathNot: '^solver/(index\\.ts|certificate/)' },
    },
    {
      // It runs in browsers: nothing of the service, and of the domain what is pure and small.
      name: 'the SDK takes the checker, the formats and the schemas along',
      severity: 'error',
      from: { path: '^api/client/', pathNot: '^api/client/solver/' },
      to: {
        path: '^(solver|api|contracts-abi|assembly|test)/',
        pathNot: '^(api/(client|schemas)|contracts-abi|solver/(certificate|market|types))/',
      },
    },
    {
      name: 'the SDK runs anywhere',
      severity: 'error',
      from: { path: '^api/client/', pathNot: '^api/client/solver/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only the command line and tests reach the lab',
      severity: 'error',
      from: { pathNot: '^(api/cli|test|solver/lab)/' },
      to: { path: '^solver/lab/' },
    },
    {
      name: 'the domain does no I/O',
      severity: 'error',
      from: {
        path: '^solver/(types|market|certificate|engine|policy|quoting|auction|settlement|filling|keeper|backtest|cow|webhooks)/',
      },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(worker_threads|assert)$' },
    },
  ],
  options: {
    // dependency-cruiser 17 knows TypeScript below 6 only; with swc it reads .ts all the same.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules|\\.build|\\.trimtab)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
