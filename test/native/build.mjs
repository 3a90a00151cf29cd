// Builds the core as a native program, only if something changed: wasm2c turns .build/trimtab.wasm
// into C, a C compiler turns that into .build/native/solve (-march=native) and solve-portable
// (without). Same arithmetic as the WASM: no fused multiply-add, no -ffast-math. Where a tool is
// missing it says which and how to have it, and exits 3; nothing else needs this build.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const outputs = join(root, '.build/native');
const RUNTIME_PLACES = [
  '/usr/share/wabt/wasm2c',
  '/usr/src/wasm2c',
  '/usr/local/share/wabt/wasm2c',
];

/** What a build here must not change: IEEE doubles, each rounded once. */
const ARITHMETIC = ['-ffp-contract=off', '-fno-math-errno', '-fno-trapping-math'];
const WARNINGS = ['-w'];

/** Exit code that says a tool is missing, not that something is broken. */
export const MISSING = 3;

export class MissingTool extends Error {}

/** First of `names` that runs; throws MissingTool with what to install. */
export function tool(names, packages) {
  for (const name of names) if (spawnSync(name, ['--version']).status === 0) return name;
  throw new MissingTool(`${names.join(' or ')} is not installed: apt-get install ${packages}`);
}

/** Compiles .build/trimtab.wasm to C and answers with its folder, names as macros and its hash. */
export function translate() {
  const wasm2c = tool(['wasm2c'], 'wabt gcc');
  const runtime = RUNTIME_PLACES.find((place) => existsSync(join(place, 'wasm-rt-impl.c')));
  if (runtime === undefined) {
    throw new MissingTool(`wasm-rt-impl.c is in none of ${RUNTIME_PLACES.join(', ')}`);
  }
  const bytes = readFileSync(join(root, '.build/trimtab.wasm'));
  const folder = join(outputs, createHash('sha256').update(bytes).digest('hex').slice(0, 16));
  const source = join(folder, 'trimtab.c');
  if (!existsSync(source)) {
    const draft = join(outputs, `draft.${process.pid}`);
    mkdirSync(draft, { recursive: true });
    if (!translates(wasm2c, join(root, '.build/trimtab.wasm'), draft)) {
      // wabt 1.0.32 aborts on v128: the same source without SIMD does the same arithmetic.
      compileScalar(join(draft, 'scalar.wasm'));
      if (!translates(wasm2c, join(draft, 'scalar.wasm'), draft)) {
        throw new Error(`${wasm2c} cannot translate the core`);
      }
    }
    removeFences(join(draft, 'trimtab.c'));
    try {
      renameSync(draft, folder);
    } catch {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return { folder, runtime, macros: namesIn(readFileSync(join(folder, 'trimtab.h'), 'utf8')) };
}

function translates(wasm2c, wasm, folder) {
  const output = join(folder, 'trimtab.c');
  return spawnSync(wasm2c, [wasm, '-n', 'trimtab', '-o', output]).status === 0;
}

function compileScalar(output) {
  const compiler = dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json'));
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      join(compiler, 'bin/asc.js'),
      ...['--target', 'release', '--disable', 'simd', '--outFile', output],
    ],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the core has no scalar form for wasm2c:\n${stderr}`);
}

/**
 * wasm2c keeps every load alive with an empty `asm` that wants it in a general register, which costs
 * a move for each f64. Dropping it only lets the compiler leave out loads nobody uses.
 */
function removeFences(path) {
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('#define wasm_asm __asm__', '#define wasm_asm(X)'));
}

/** The generated names, as macros for core.h; they differ between versions of wabt. */
function namesIn(header) {
  const found = (pattern, what) => {
    const match = header.match(pattern);
    if (match === null) throw new Error(`wasm2c's header names no ${what}`);
    return match[1];
  };
  const init = header.match(/void (\w*init_module)\(void\)/);
  return [
    '-DCORE_HEADER="trimtab.h"',
    `-DCORE_INSTANCE=${found(/void \w*instantiate\((?:struct )?(\w+)\s*\*/, 'instance')}`,
    `-DCORE_INSTANTIATE=${found(/void (\w*instantiate)\(/, 'instantiate')}`,
    ...['header', 'arrange', 'load', 'solve'].map(
      (name) =>
        `-DCORE_EXPORT_${name.toUpperCase()}=${found(new RegExp(`u32 (\\w+_${name})\\(`), name)}`,
    ),
    `-DCORE_EXPORT_MEMORY=${found(/wasm_rt_memory_t\s*\*\s*(\w+_memory)\(/, 'memory')}`,
    ...(init === null ? [] : [`-DCORE_MODULE_INIT=${init[1]}`]),
  ];
}

/** Compiles one program over the translated core; `salt` is text that must lead to a new build. */
export function compile(name, main, { compiler, flags, env = {}, salt = [] }) {
  const { folder, runtime, macros } = translate();
  const inputs = createHash('sha256');
  for (const file of [main, join(here, 'core.h')]) inputs.update(readFileSync(file));
  inputs.update(JSON.stringify([compiler, flags, env, salt]));
  const output = join(folder, `${name}.${inputs.digest('hex').slice(0, 12)}`);
  if (!existsSync(output)) {
    const draft = `${output}.${process.pid}`;
    const { status, stderr } = spawnSync(
      compiler,
      [
        ...['-std=gnu11', ...flags, ...ARITHMETIC, ...WARNINGS, ...macros],
        ...[`-I${folder}`, `-I${here}`, `-I${runtime}`],
        ...[main, join(folder, 'trimtab.c'), join(runtime, 'wasm-rt-impl.c')],
        ...['-lm', '-o', draft],
      ],
      { encoding: 'utf8', env: { ...process.env, ...env } },
    );
    if (status !== 0) throw new Error(`${compiler} failed:\n${stderr}`);
    renameSync(draft, output);
  }
  return output;
}

/** Runs `build`; a missing tool is said and is exit 3, so that callers can skip. */
export function main(build) {
  try {
    build();
  } catch (error) {
    if (!(error instanceof MissingTool)) throw error;
    console.log(`native: skipped, ${error.message}`);
    process.exitCode = MISSING;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(() => {
    const compiler = tool(['clang', 'gcc', 'cc'], 'wabt gcc');
    const solve = join(here, 'solve.c');
    const native = compile('solve', solve, { compiler, flags: ['-O3', '-march=native'] });
    const portable = compile('solve-portable', solve, { compiler, flags: ['-O3'] });
    console.log(JSON.stringify({ compiler, native, portable }));
  });
}
