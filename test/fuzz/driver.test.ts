// What the coverage fuzzer has found, named and kept, and a few thousand random strings: the core
// through wasm2c keeps every promise of check.h. Skipped where wabt or a C compiler is missing.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';

const CASES = 'test/fuzz/cases';
const RANDOM = 600;
const SEED = 1;

const built = spawnSync(process.execPath, ['test/fuzz/build.mjs'], { encoding: 'utf8' });
const program = built.stdout.trim().split('\n').at(-1) ?? '';
const missing = built.status === 3;
if (missing) console.log(program);

/** Status and what the driver said on both streams. */
function drive(args: readonly string[], cwd?: string) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd });
  return { status, text: stdout + stderr };
}

describe.skipIf(missing)('the core under the fuzzer', () => {
  test('default: the driver builds', () => {
    expect(built.status, built.stderr).toBe(0);
  });

  test.each(readdirSync(CASES).filter((name) => name.endsWith('.bin')))('behavior: %s', (name) => {
    const { status, text } = drive([`${CASES}/${name}`]);
    expect(status, text).toBe(0);
  });

  test('behavior: one after another, in one instance, each as if alone', () => {
    const files = readdirSync(CASES).map((name) => `${CASES}/${name}`);
    const { status, text } = drive([...files, ...files.toReversed()]);
    expect(status, text).toBe(0);
  });

  test('property: random strings, each solved twice', () => {
    const { status, text } = drive(['--random', String(RANDOM), String(SEED)], tmpdir());
    expect(status, text).toBe(0);
  });
});
