// Builds .build/trimtab.wasm from assembly/ and asconfig.json, only if they or the compiler changed:
// the inputs' hash is kept beside the output. The new file replaces the old one in one rename, so a
// concurrent reader never sees half of it.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const output = join(root, '.build/trimtab.wasm');
const stamp = `${output}.inputs`;
const require = createRequire(import.meta.url);
const compiler = dirname(require.resolve('assemblyscript/package.json'));

const inputs = createHash('sha256');
const sources = readdirSync(join(root, 'assembly'), { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .map((name) => join('assembly', name));
for (const name of ['asconfig.json', ...sources]) {
  inputs
    .update(`${name}\0`)
    .update(readFileSync(join(root, name)))
    .update('\0');
}
inputs.update(JSON.parse(readFileSync(join(compiler, 'package.json'), 'utf8')).version);
const wanted = inputs.digest('hex');

if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
  console.log('unchanged');
} else {
  mkdirSync(dirname(output), { recursive: true });
  const draft = `${output}.${process.pid}`;
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(compiler, 'bin/asc.js'), '--target', 'release', '--outFile', draft],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) {
    rmSync(draft, { force: true });
    console.error(`${stdout}${stderr}`);
    process.exit(status ?? 1);
  }
  const bytes = readFileSync(draft).length;
  renameSync(draft, output);
  writeFileSync(stamp, wanted);
  console.log(`built, ${bytes} bytes, in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
