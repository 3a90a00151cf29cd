// The door to the risk kernels of the core (assembly/risk): checks what the caller gave, writes it into
// the cells of one instance, runs, and answers with fresh results. Refuses numbers that are not finite
// or out of range (InvalidInput, naming the argument). The same input gives the same bytes in every
// instance: there is no state between calls.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { InvalidInput } from '../types/errors.ts';
import { type Hash32, hash32 } from '../types/ids.ts';
import type { Greeks, OptionInputs, RiskKernel, TwoBand } from '../types/risk.ts';
import { STATUS } from './abi.ts';
import { createBandRule } from './bandRule.ts';
import {
  allFinite,
  cellOf,
  createRiskCells,
  notNegative,
  outOfRange,
  positive,
  type RiskCells,
  refuse,
  squareOf,
} from './riskCells.ts';

/** Columns of a row of inputs and of a row of results, in the core's order. */
const OPTION = ['spot', 'strike', 'years', 'rate', 'carry', 'volatility', 'kind'] as const;
const GREEKS = 13;

/** Instantiates the core for its kernels. Throws Defect if the bytes are not this version's core. */
export function createRiskKernel(wasmBytes: Uint8Array): RiskKernel & { readonly hash: Hash32 } {
  const risk = createRiskCells(new WebAssembly.Module(new Uint8Array(wasmBytes)));
  return {
    hash: hash32(`0x${bytesToHex(keccak_256(wasmBytes))}`),
    greeks: (option) => greeks(risk, option),
    greeksBatch: (inputs) => greeksBatch(risk, inputs),
    covariance: (returns, assets, decay, perYear) =>
      covariance(risk, returns, assets, decay, perYear),
    smallestPivot: (matrix) => smallestPivot(risk, matrix),
    riskParity: (matrix, budgets) => riskParity(risk, matrix, budgets),
    twoBand: (aversion, varianceRate, proportional, fixed) =>
      twoBand(risk, aversion, varianceRate, proportional, fixed),
    bandRule: (inputs) => createBandRule(risk, inputs),
  };
}

function greeks({ cells, run }: RiskCells, option: OptionInputs): Greeks {
  const { kind, spot, strike, years, rate, carry, volatility } = option;
  if (kind !== 'call' && kind !== 'put') refuse('kind', `must be 'call' or 'put', is ${kind}`);
  const row = [spot, strike, years, rate, carry, volatility, kind === 'call' ? 1 : -1];
  row.forEach((value, column) => {
    if (!isGood(value, column)) refuseColumn(value, column, '');
  });
  cells.set(row);
  if (run((core) => core.riskGreeks(1)) !== STATUS.ok) outOfRange('option');
  const at = OPTION.length;
  return {
    d1: cellOf(cells, at),
    d2: cellOf(cells, at + 1),
    price: cellOf(cells, at + 2),
    delta: cellOf(cells, at + 3),
    gamma: cellOf(cells, at + 4),
    vega: cellOf(cells, at + 5),
    theta: cellOf(cells, at + 6),
    rho: cellOf(cells, at + 7),
    vanna: cellOf(cells, at + 8),
    vomma: cellOf(cells, at + 9),
    charm: cellOf(cells, at + 10),
    zomma: cellOf(cells, at + 11),
    speed: cellOf(cells, at + 12),
  };
}

function greeksBatch({ cells, run }: RiskCells, inputs: Float64Array): Float64Array {
  const width = OPTION.length;
  if (inputs.length % width !== 0) refuse('inputs', `must be rows of ${width} numbers`);
  const count = inputs.length / width;
  for (let k = 0; k < count; k++) {
    for (let column = 0; column < width; column++) {
      if (isGood(cellOf(inputs, k * width + column), column)) continue;
      refuseColumn(cellOf(inputs, k * width + column), column, `inputs/${k}/`);
    }
  }
  if (inputs.length > cells.length) tooLarge('inputs');
  cells.set(inputs);
  const status = run((core) => core.riskGreeks(count));
  if (status === STATUS.tooLarge) tooLarge('inputs');
  if (status !== STATUS.ok) outOfRange(`inputs/${cellOf(cells, inputs.length)}`);
  return cells.slice(inputs.length, inputs.length + count * GREEKS);
}

/** Whether a number may stand in that column; the hot path of a batch. */
function isGood(value: number, column: number): boolean {
  if (column === 6) return value === 1 || value === -1;
  return (value > 0 || column === 3 || column === 4) && Number.isFinite(value);
}

function refuseColumn(value: number, column: number, path: string): never {
  const name = `${path}${OPTION[column]}`;
  if (column === 6) refuse(name, `must be 1 (call) or -1 (put), is ${value}`);
  if (column === 3 || column === 4) refuse(name, `must be a finite number, is ${value}`);
  refuse(name, `must be a number > 0, is ${value}`);
}

function covariance(
  { cells, run }: RiskCells,
  returns: Float64Array,
  assets: number,
  decay: number,
  perYear: number,
): Float64Array {
  if (!(Number.isInteger(assets) && assets >= 1)) refuse('assets', `must be ≥ 1, is ${assets}`);
  if (!(decay > 0 && decay <= 1)) refuse('decay', `must be in (0, 1], is ${decay}`);
  positive(perYear, 'perYear');
  if (returns.length === 0 || returns.length % assets !== 0) {
    refuse('returns', `must be whole rows of ${assets} assets, has ${returns.length} numbers`);
  }
  if (returns.length > cells.length) tooLarge('returns');
  cells.set(returns);
  const rows = returns.length / assets;
  const status = run((core) => core.riskCovariance(rows, assets, decay, perYear));
  if (status === STATUS.tooLarge) tooLarge('returns');
  // What is not finite shows in the sums; only then is it looked for.
  if (status !== STATUS.ok) {
    allFinite(returns, 'returns');
    outOfRange('returns');
  }
  return cells.slice(returns.length, returns.length + assets * assets);
}

function smallestPivot({ cells, run }: RiskCells, matrix: Float64Array): number {
  const assets = Math.round(Math.sqrt(matrix.length));
  squareOf(matrix, assets, 'covariance');
  if (matrix.length > cells.length) tooLarge('covariance');
  cells.set(matrix);
  const status = run((core) => core.riskPivot(assets));
  if (status === STATUS.tooLarge) tooLarge('covariance');
  if (status !== STATUS.ok) outOfRange('covariance');
  return cellOf(cells, matrix.length);
}

function riskParity(
  { cells, run }: RiskCells,
  matrix: Float64Array,
  budgets: Float64Array,
): ReturnType<RiskKernel['riskParity']> {
  const assets = budgets.length;
  squareOf(matrix, assets, 'covariance');
  budgets.forEach((budget, k) => {
    notNegative(budget, `budgets/${k}`);
  });
  if (!budgets.some((budget) => budget > 0)) refuse('budgets', 'must not all be 0');
  if (matrix.length + assets > cells.length) tooLarge('covariance');
  cells.set(matrix);
  cells.set(budgets, matrix.length);
  const status = run((core) => core.riskParity(assets));
  if (status === STATUS.tooLarge) tooLarge('covariance');
  if (status === STATUS.infeasible) {
    refuse('budgets', 'cannot be met: an asset with a budget, or a mix of them, carries no risk');
  }
  if (status === STATUS.badInput) {
    refuse('covariance', 'must be positive semidefinite and its volatilities comparable');
  }
  if (status !== STATUS.ok) refuse('covariance', 'is too close to singular for these budgets');
  const at = matrix.length + assets;
  return {
    weights: cells.slice(at, at + assets),
    residual: cellOf(cells, at + assets),
    rounds: cellOf(cells, at + assets + 1),
  };
}

function twoBand(
  { cells, run }: RiskCells,
  aversion: number,
  varianceRate: number,
  proportional: number,
  fixed: number,
): TwoBand {
  positive(aversion, 'aversion');
  positive(varianceRate, 'varianceRate');
  notNegative(proportional, 'proportional');
  notNegative(fixed, 'fixed');
  const status = run((core) => core.riskTwoBand(aversion, varianceRate, proportional, fixed));
  if (status !== STATUS.ok) outOfRange('varianceRate');
  return { trigger: cellOf(cells, 0), landing: cellOf(cells, 1) };
}

function tooLarge(name: string): never {
  throw new InvalidInput(`${name}: more than the risk kernel takes`, {
    pointer: `/${name}`,
    code: 'tooLarge',
  });
}
