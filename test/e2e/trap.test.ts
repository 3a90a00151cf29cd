// A core that traps on one problem, in a pool that gave it that problem amid a batch: whoever asked
// for it hears why, all others get their answers from the thread that takes over.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { createEnginePool } from '../../solver/engine/pool.ts';
import { parseProblem, withObjective } from '../../solver/market/problemFile.ts';
import { swapProblem } from '../bench/problems.ts';

/** A search with this limit of work traps. */
const POISON = 1_313;

/** The core itself, but for what it does with the poison. */
function buildTrappingCore(): Uint8Array {
  const folder = mkdtempSync(resolve('.build/trapping-'));
  try {
    const source = readFileSync('assembly/index.ts', 'utf8')
      .replaceAll("from './", "from '../../assembly/")
      .replace(
        'export function solve(): i32 {',
        `$&\n  if (changetype<Header>(header()).workMax == ${POISON}) unreachable();`,
      );
    expect(source).toContain('unreachable');
    writeFileSync(join(folder, 'index.ts'), source);
    const compiler = dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json'));
    const config = JSON.parse(readFileSync('asconfig.json', 'utf8'));
    const options = { ...config.options, use: [...config.options.use] };
    writeFileSync(
      join(folder, 'asconfig.json'),
      JSON.stringify({
        entries: ['index.ts'],
        options,
        targets: { release: { optimizeLevel: 1 } },
      }),
    );
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(compiler, 'bin/asc.js'), '--target', 'release', '--outFile', 'core.wasm'],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(status, stderr).toBe(0);
    return new Uint8Array(readFileSync(join(folder, 'core.wasm')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Problems of one market travel together. */
function marketOf(seed: number) {
  const file = swapProblem(seed, 'fixedCost', { pools: 30, tokens: 8 });
  return { file, market: parseProblem(file) };
}

describe('a trap', () => {
  test('error: costs its own problem, and no other of its batch', async () => {
    const wasmBytes = buildTrappingCore();
    const engine = createEngine(wasmBytes);
    const pool = createEnginePool({ wasmBytes, size: 1 });
    const [first, second] = [marketOf(1), marketOf(2)];
    try {
      for (const at of [0, 2, 5, 8]) {
        const problems = Array.from({ length: 9 }, (_, k) => {
          const { file, market } = k < 6 ? first : second;
          const settings = k === at ? { ...file.settings, workMax: POISON } : file.settings;
          return withObjective(market, file.objective, settings);
        });
        const outcomes = await Promise.allSettled(problems.map((problem) => pool.solve(problem)));
        for (const [k, outcome] of outcomes.entries()) {
          if (k === at) {
            expect(outcome).toMatchObject({ status: 'rejected' });
            expect(String((outcome as PromiseRejectedResult).reason)).toContain('the core trapped');
          } else {
            const value = engine.solve(problems[k] as (typeof problems)[number]);
            expect(outcome, `problem ${k}, poison at ${at}`).toEqual({
              status: 'fulfilled',
              value,
            });
          }
        }
      }
    } finally {
      await pool.close();
    }
  }, 120_000);
});
