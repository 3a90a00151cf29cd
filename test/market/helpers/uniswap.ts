// Uniswap v2 and v3 from their published packages, and a v3 pool's state as storage slots, so that a
// call can see any state at all without the transactions that would lead to it.

import { readFileSync } from 'node:fs';
import { encodeAbiParameters, type Hex, keccak256, numberToHex } from 'viem';
import type { ConcentratedState } from '../../../solver/market/exact/concentrated.ts';
import type { Artifact } from './anvil.ts';

/** v2's packages: the code stands below evm.bytecode. */
export function v2Artifact(path: string): Artifact {
  const { abi, evm } = JSON.parse(readFileSync(`node_modules/@uniswap/${path}.json`, 'utf8'));
  return { abi, bytecode: `0x${evm.bytecode.object.replace(/^0x/, '')}` };
}

export function v3Artifact(path: string): Artifact {
  return JSON.parse(readFileSync(`node_modules/@uniswap/${path}.json`, 'utf8'));
}

export const ERC20 = v2Artifact('v2-core/build/ERC20');
export const V2_FACTORY = v2Artifact('v2-core/build/UniswapV2Factory');
export const V2_ROUTER = v2Artifact('v2-periphery/build/UniswapV2Router02');
export const V3_FACTORY = v3Artifact(
  'v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory',
);
export const V3_POOL = v3Artifact('v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool');
export const V3_QUOTER = v3Artifact('v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2');

/** UniswapV3Pool's storage layout: slot numbers of what a swap reads. */
const SLOT = { slot0: 0n, liquidity: 4n, ticks: 5n, bitmap: 6n } as const;
/** One observation, written when the pool was initialised; the lock open. */
const SLOT0_REST = (1n << 200n) | (1n << 216n) | (1n << 240n);

const word = (value: bigint): Hex => numberToHex(BigInt.asUintN(256, value), { size: 32 });

const mappingSlot = (key: number, slot: bigint): Hex =>
  keccak256(encodeAbiParameters([{ type: 'int256' }, { type: 'uint256' }], [BigInt(key), slot]));

/** The slots that make an initialised pool be in this state. */
export function poolStorage(state: ConcentratedState): Record<Hex, Hex> {
  const packed = state.sqrtPriceX96 | (BigInt.asUintN(24, BigInt(state.tick)) << 160n) | SLOT0_REST;
  const slots: Record<Hex, Hex> = {
    [word(SLOT.slot0)]: word(packed),
    [word(SLOT.liquidity)]: word(state.liquidity),
  };
  const bitmap = new Map<number, bigint>();
  for (const { tick, liquidityNet } of state.ticks) {
    const gross = liquidityNet === 0n ? 1n : liquidityNet < 0n ? -liquidityNet : liquidityNet;
    slots[mappingSlot(tick, SLOT.ticks)] = word((liquidityNet << 128n) | gross);
    const compressed = tick / state.tickSpacing;
    const key = Math.floor(compressed / 256);
    const bit = 1n << BigInt(compressed - key * 256);
    bitmap.set(key, (bitmap.get(key) ?? 0n) | bit);
  }
  for (const [key, bits] of bitmap) slots[mappingSlot(key, SLOT.bitmap)] = word(bits);
  return slots;
}
