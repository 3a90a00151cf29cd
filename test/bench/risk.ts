// `npm run bench -- risk [--json]`: what the risk kernels take, through their door (solver/engine/risk),
// writing the cells and copying the results included. Medians over rounds on one seed, the calibration
// kernel beside; a hash of the results, the same on every machine.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { type Random, random } from '../engine/generate.ts';
import { timed } from './rivals.ts';
import { calibrate, median } from './statistics.ts';
import { WASM } from './wasm.ts';

const SEED = 1;
const ROUNDS = 31;
/** Short runs are repeated within a round, so that the clock's own steps do not count. */
const BATCH = 1000;
const HOURS = 8760;

interface Row {
  readonly name: string;
  readonly ns: number;
  /** In calibration kernels: machine and load cancel. */
  readonly ratio: number;
}

export function main(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
  });
  const kernel = createRiskKernel(readFileSync(WASM));
  const rng = random(SEED);
  const hash = createHash('sha256');
  const { ns: calibrationNs } = calibrate();
  const rows: Row[] = [];
  const measure = (name: string, per: number, run: () => Float64Array) => {
    hash.update(run());
    const ns = median(Array.from({ length: ROUNDS }, () => timed(run)[0])) / per;
    rows.push({ name, ns, ratio: ns / calibrationNs });
  };
  const options = randomOptions(rng);
  measure('13 Greeks of an option, by the thousand', BATCH, () => kernel.greeksBatch(options));
  measure('two bands', BATCH, () => {
    let sum = 0;
    for (let k = 1; k <= BATCH; k++) sum += kernel.twoBand(4, 0.04, 0.003, 1e-7 * k).trigger;
    return Float64Array.of(sum);
  });
  for (const assets of [2, 20, 64]) {
    const returns = Float64Array.from({ length: HOURS * assets }, () => rng.next() - 0.5);
    measure(`covariance of ${assets} assets over ${HOURS} rows`, 1, () =>
      kernel.covariance(returns, assets, 0.999, HOURS),
    );
  }
  for (const assets of [4, 40, 64]) {
    const returns = Float64Array.from({ length: 2 * assets ** 2 }, () => rng.next() - 0.5);
    const covariance = kernel.covariance(returns, assets, 1, 1);
    const budgets = Float64Array.from({ length: assets }, () => rng.between(0.1, 1));
    measure(`risk parity of ${assets} assets`, 1, () => {
      return kernel.riskParity(covariance, budgets).weights;
    });
    measure(`smallest pivot of ${assets} assets`, 1, () =>
      Float64Array.of(kernel.smallestPivot(covariance)),
    );
  }
  print(rows, calibrationNs, hash.digest('hex'), values.json);
  return 0;
}

/** Rows of inputs as RiskKernel.greeksBatch takes them. */
function randomOptions(rng: Random): Float64Array {
  return Float64Array.from(
    Array.from({ length: BATCH }, () => [
      100,
      rng.between(60, 150),
      rng.between(0.05, 2),
      rng.between(0, 0.1),
      rng.between(0, 0.1),
      rng.between(0.1, 1),
      rng.pick([1, -1]),
    ]).flat(),
  );
}

function print(rows: readonly Row[], calibrationNs: number, resultHash: string, json: boolean) {
  if (json) {
    console.log(JSON.stringify({ calibrationNs, rows, resultHash }));
    return;
  }
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  console.log(`${cpu}, ${cpus().length} cores, Node ${process.versions.node}`);
  console.log(`calibration kernel ${(calibrationNs / 1e6).toFixed(2)} ms; seed ${SEED}\n`);
  for (const { name, ns, ratio } of rows) {
    const time = ns < 1e4 ? `${ns.toFixed(0)} ns` : `${(ns / 1e3).toFixed(1)} µs`;
    console.log(`${name.padEnd(44)} ${time.padStart(12)}   ${ratio.toExponential(2)} kernels`);
  }
  console.log(`\nresult hash ${resultHash}`);
}
