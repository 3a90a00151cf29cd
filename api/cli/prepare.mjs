// npm's `prepare`: builds the SDK and the core when the package is packed or linked (`npm pack`,
// `npm install <this folder>` from elsewhere). An install of this checkout itself needs neither: what
// it needs `npm start` and `npm test` build.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const { npm_command: command, INIT_CWD: from } = process.env;
const own = (command === 'ci' || command === 'install') && resolve(from ?? root) === root;
// Without the development dependencies there is nothing to build with, and dist/ came along.
const compilers = existsSync(resolve(root, 'node_modules/typescript'));
if (!own && compilers) {
  const args = [resolve(root, 'api/cli/bin.mjs'), 'build', '--pack'];
  // npm's own answer has stdout to itself.
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  process.exitCode = status ?? 1;
}
