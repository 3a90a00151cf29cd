// The kernel as an artifact: the same bytes in every instance, after anything, and beside a problem.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CoreExports, type RiskExports, STATUS } from '../../solver/engine/abi.ts';
import { encode } from '../../solver/engine/encode.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { instantiate } from '../../solver/engine/instance.ts';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { Defect } from '../../solver/types/assert.ts';
import { generate, random, SMOOTH } from '../engine/generate.ts';
import { newKernel, normal, randomCovariance } from './support.ts';

const bytes = new Uint8Array(readFileSync('.build/trimtab.wasm'));
const SEED = 20_261_121;

type Kernel = ReturnType<typeof newKernel>;

/** Everything the kernel answers to what `seed` draws, as bytes. */
function answers(kernel: Kernel, seed: number): string {
  const rng = random(seed);
  const n = rng.integer(2, 12);
  const covariance = randomCovariance(rng, n, 2 * n);
  const budgets = Float64Array.from({ length: n }, () => rng.between(0.1, 1));
  const returns = Float64Array.from({ length: 50 * n }, () => 0.01 * normal(rng));
  const option = [rng.between(50, 150), 100, rng.between(0.1, 1), 0.05, 0.02, rng.between(0.1, 1)];
  const parity = kernel.riskParity(covariance, budgets);
  const bands = kernel.twoBand(rng.between(1, 9), 0.04, rng.between(0, 0.01), 1e-5);
  return [
    parity.weights,
    Float64Array.of(parity.residual, parity.rounds, bands.trigger, bands.landing),
    kernel.covariance(returns, n, 0.97, 365),
    Float64Array.of(kernel.smallestPivot(covariance)),
    kernel.greeksBatch(Float64Array.from([...option, 1, ...option, -1])),
  ]
    .map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('hex'))
    .join();
}

describe('createRiskKernel', () => {
  test('property: the same bytes in any instance, in any order', () => {
    const [one, other] = [newKernel(), newKernel()];
    const first = Array.from({ length: 60 }, (_, k) => answers(one, SEED + k));
    for (let k = 59; k >= 0; k--) {
      expect(answers(other, SEED + k), `seed ${SEED + k}`).toBe(first[k]);
      if (k % 6 === 0) expect(answers(newKernel(), SEED + k), `seed ${SEED + k}`).toBe(first[k]);
    }
  });

  test('behavior: results are the caller’s own and outlive the next call', () => {
    const kernel = newKernel();
    const covariance = Float64Array.of(0.04, 0.01, 0.01, 0.09);
    const { weights } = kernel.riskParity(covariance, Float64Array.of(1, 1));
    const kept = weights.slice();
    kernel.greeksBatch(new Float64Array(7 * 50).fill(1));
    expect(weights).toEqual(kept);
  });

  test('behavior: its hash is the engine’s', () => {
    expect(createRiskKernel(bytes).hash).toBe(createEngine(bytes).hash);
  });

  test('error: bytes that are not the core', () => {
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    expect(() => createRiskKernel(empty)).toThrow(Defect);
  });

  test('behavior: a kernel on an instance with a problem makes it forget the problem', () => {
    const core = instantiate(new WebAssembly.Module(bytes)) as CoreExports & RiskExports;
    const problem = parseProblem(generate(1, SMOOTH, 'swap').problem);
    encode(core, problem);
    expect(core.solve()).toBe(STATUS.ok);
    expect(core.riskTwoBand(1, 1, 1, 1)).toBe(STATUS.ok);
    expect(core.solve()).toBe(STATUS.badInput);
    encode(core, problem);
    expect(core.solve()).toBe(STATUS.ok);
  });

  test('error: counts beyond the maxima are statuses, never traps', () => {
    const core = instantiate(new WebAssembly.Module(bytes));
    for (const count of [2 ** 31 - 1, -1, -(2 ** 31), 65]) {
      const wrong = [STATUS.tooLarge, STATUS.badInput] as number[];
      expect(wrong).toContain(core.riskPivot(count));
      expect(wrong).toContain(core.riskParity(count));
      expect(wrong).toContain(core.riskCovariance(10, count, 1, 1));
      expect(wrong).toContain(core.riskGreeks(count));
      if (count !== 65) expect(wrong).toContain(core.riskCovariance(count, 10, 1, 1));
    }
    expect(core.riskCovariance(2 ** 20, 64, 1, 1)).toBe(STATUS.tooLarge);
  });

  test('property: any bits in the cells give a status, never a trap, and what is OK is finite', () => {
    const core = instantiate(new WebAssembly.Module(bytes));
    const cells = new Float64Array(core.memory.buffer, core.riskArea());
    const words = new Uint32Array(core.memory.buffer, core.riskArea(), 400);
    const rng = random(SEED + 1);
    const seen = new Map<string, number>();
    for (let k = 0; k < 6000; k++) {
      const n = rng.integer(0, k % 50 === 0 ? 65 : 6);
      const wild = () =>
        k % 3 === 0
          ? rng.next() * 2 - 0.5
          : Math.sign(rng.next() - 0.3) * 10 ** rng.between(-330, 310);
      if (k % 5 === 0) {
        for (let at = 0; at < 400; at++) words[at] = rng.integer(0, 2 ** 32 - 1);
      } else for (let at = 0; at < 2 * n * n + 20 * n; at++) cells[at] = wild();
      const rows = rng.integer(0, 8);
      const runs = [
        ['pivot', () => core.riskPivot(n), n * n, 1],
        ['parity', () => core.riskParity(n), n * n + n, n + 2],
        ['covariance', () => core.riskCovariance(rows, n, wild(), wild()), rows * n, n * n],
        ['greeks', () => core.riskGreeks(n), 7 * n, 13 * n],
        ['twoBand', () => core.riskTwoBand(wild(), wild(), wild(), wild()), 0, 2],
      ] as const;
      const [name, run, from, count] = rng.pick(runs);
      const status = run();
      const label = `seed ${SEED + 1}, case ${k}: ${name}`;
      expect(Object.values(STATUS), label).toContain(status);
      seen.set(`${name} ${status}`, (seen.get(`${name} ${status}`) ?? 0) + 1);
      if (status !== STATUS.ok) continue;
      expect(cells.subarray(from, from + count).every(Number.isFinite), label).toBe(true);
    }
    for (const name of ['pivot', 'parity', 'covariance', 'greeks', 'twoBand']) {
      expect(seen.get(`${name} ${STATUS.ok}`), name).toBeGreaterThan(0);
      expect(seen.get(`${name} ${STATUS.badInput}`), name).toBeGreaterThan(0);
    }
  });
});
