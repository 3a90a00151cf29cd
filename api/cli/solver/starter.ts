// `trimtab solver new`: a folder with a solver that runs, its key, and what to do next. Refuses to
// touch a folder that holds anything.

import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { Fault, InvalidInput } from '../../../solver/types/errors.ts';
import { projectRoot } from '../home.ts';

export interface Starter {
  readonly folder: string;
  readonly address: string;
  readonly files: readonly string[];
}

/** Throws InvalidInput for a folder that is not empty, Fault for one that cannot be written. */
export function writeStarter(path: string, api: string): Starter {
  const folder = resolve(path);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new InvalidInput('is not empty; name a new folder', { pointer: path });
  }
  const privateKey = generatePrivateKey();
  const { address } = privateKeyToAccount(privateKey);
  const name =
    basename(folder)
      .replace(/[^a-z0-9-]/gi, '-')
      .toLowerCase() || 'my-solver';
  const files: Readonly<Record<string, string>> = {
    'package.json': packageJson(name),
    'solver.mjs': SOLVER.replaceAll('$API', api),
    'README.md': readme(name, address, api),
    '.gitignore': 'node_modules\nkey\njournal.jsonl\n',
    key: `${privateKey}\n`,
  };
  try {
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(folder, file), text, { mode: file === 'key' ? 0o600 : 0o644 });
    }
    // What `npm install` would do with the file: dependency; done here, so that it runs at once.
    symlinkSync(projectRoot, join(folder, 'node_modules', 'trimtab'), 'dir');
    symlinkSync('../trimtab/api/cli/bin.mjs', join(folder, 'node_modules', '.bin', 'trimtab'));
  } catch (cause) {
    throw new Fault(`cannot write ${folder}`, { cause, retryable: false });
  }
  return { folder, address, files: Object.keys(files) };
}

const packageJson = (name: string): string =>
  `${JSON.stringify(
    {
      name,
      version: '0.1.0',
      private: true,
      type: 'module',
      scripts: { start: 'node solver.mjs' },
      dependencies: { trimtab: `file:${projectRoot}` },
    },
    null,
    2,
  )}\n`;

const SOLVER = `// A solver for trimtab: delivers orders from its own balances for a share of what it sees.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { runSolver } from 'trimtab/solver';

/** What I keep of every order: hundredths of a percent of what its escrow brings me. */
const MARGIN_BPS = 5;

/** Once per auction, before auction.closesAtMs: what I would deliver, for which of its orders. */
export async function bid(auction, tools) {
  // The minimums plus all that is left after costs and margin, where my balances can deliver it.
  // Your own idea goes here: an offer is { orderId, amounts: [bigint per output of the order] }.
  return tools.fromInventory(auction, { marginBps: MARGIN_BPS });
}

/** \`node solver.mjs\` runs it; \`trimtab solver check\` only calls bid. */
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stopping.abort());
  await runSolver({
    url: process.env.TRIMTAB_API ?? '$API',
    privateKey: readFileSync(new URL('key', import.meta.url), 'utf8').trim(),
    journal: 'journal.jsonl',
    bid,
    signal: stopping.signal,
    onEvent: ({ type, ...rest }) => console.log(type, JSON.stringify(rest)),
  });
}
`;

const readme = (name: string, address: string, api: string): string => `# ${name}

A solver for trimtab at ${api}. It bids as ${address}, whose key is in \`key\`: that account
pays what it wins and is repaid by the escrows, so it needs tokens and gas on every chain it serves.

1. Fund it. On a lab: \`npx trimtab solver fund ${address}\`.
2. See what it would have bid: \`npx trimtab solver check solver.mjs\`.
3. Run it: \`npm start\`, or \`npx trimtab solver run solver.mjs\`. Ctrl-C ends it; started again it
   goes on with what it had won (\`journal.jsonl\`).
4. Make it yours: \`bid\` decides what to offer; an optional export \`buy\` decides how to get what a
   chain's outputs need, through pools, in the transaction that delivers it.

Whoever wins must open, fill, prove and release in time: an award that is not served counts as faded
and costs the right to bid for a while. trimtab's docs/solvers.md says what is expected and what can
go wrong. One process per key: two would use the same nonces.
`;
