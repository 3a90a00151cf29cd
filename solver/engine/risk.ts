// The door to the risk kernels of the core (assembly/risk): checks what the caller gave, writes it into
// the cells of one instance, runs, and answers with fresh results. Refuses numbers that are not finite
// or out of range (InvalidInput, naming the argument). The same input gives the same bytes in every
// instance: there is no state between calls.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Hash32, hash32 } from '../types/ids.ts';
import type { RiskKernel, TwoBand } from '../types/risk.ts';
import { STATUS } from './abi.ts';
import {
  cellOf,
  createRiskCells,
  notNegative,
  outOfRange,
  positive,
  type RiskCells,
} from './riskCells.ts';

/** Instantiates the core for its kernels. Throws Defect if the bytes are not this version's core. */
export function createRiskKernel(
  wasmBytes: Uint8Array,
): Pick<RiskKernel, 'twoBand'> & { readonly hash: Hash32 } {
  const risk = createRiskCells(new WebAssembly.Module(new Uint8Array(wasmBytes)));
  return {
    hash: hash32(`0x${bytesToHex(keccak_256(wasmBytes))}`),
    twoBand: (aversion, varianceRate, proportional, fixed) =>
      twoBand(risk, aversion, varianceRate, proportional, fixed),
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
