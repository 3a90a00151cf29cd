// Builds the fuzzer's driver: plain (for replays and random strings) and, where afl++ is installed,
// instrumented. Follows solver/engine/abi.ts through a generated header of macros.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compile, main, tool } from '../native/build.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

/** Writes abi.h and answers with its folder, named after its text. */
function abiHeader() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(here, 'abiHeader.ts')],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`abiHeader.ts failed:\n${stderr}`);
  const folder = join(root, '.build/native/abi');
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `abi.${process.pid}`);
  writeFileSync(draft, stdout);
  renameSync(draft, join(folder, 'abi.h'));
  return { folder, text: stdout };
}

function build(name, compiler, flags, env) {
  const { folder, text } = abiHeader();
  // Its includes are inputs as much as itself: their text goes into the name of the program.
  const parts = ['check.h', 'decode.h'].map((file) => readFileSync(join(here, file), 'utf8'));
  return compile(name, join(here, 'driver.c'), {
    compiler,
    flags: [...flags, `-I${here}`, `-I${folder}`],
    env,
    salt: [text, ...parts],
  });
}

/** The driver without instrumentation. Throws MissingTool. */
export function buildDriver() {
  return build('driver', tool(['clang', 'gcc', 'cc'], 'wabt gcc'), ['-O2'], {});
}

/** The driver afl-fuzz runs. Throws MissingTool. */
export function buildAfl() {
  const compiler = tool(['afl-clang-fast'], 'wabt afl++ clang');
  return build('driver-afl', compiler, ['-O2'], { AFL_QUIET: '1' });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(() => console.log(buildDriver()));
}
