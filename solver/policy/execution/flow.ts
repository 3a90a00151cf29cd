// Keeping many policies from hitting one pool at once: each waits its own jitter, and together they
// take no more of a venue's flow than their cap. Pure functions of ids and past flow; no clock, no
// randomness.

import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { UnixSeconds } from '../../types/amounts.ts';
import { assert } from '../../types/assert.ts';
import { InvalidInput } from '../../types/errors.ts';

const CHUNKS_MAX = 10_000;

/**
 * Whole seconds, uniform in 0 … windowSeconds − 1, that a policy waits on one occasion: the first 48
 * bits of SHA-256 of its id and the occasion. The same answer on every machine and after every crash;
 * different occasions differ, so that no policy is always first.
 */
export function jitterSeconds(policyId: string, occasion: string, windowSeconds: number): number {
  if (!(Number.isInteger(windowSeconds) && windowSeconds >= 0 && windowSeconds <= 2 ** 32)) {
    throw new InvalidInput(`jitter window must be whole seconds, got ${windowSeconds}`);
  }
  const digest = sha256(utf8ToBytes(`${policyId.length}:${policyId}:${occasion}`));
  let bits = 0;
  for (const byte of digest.subarray(0, 6)) bits = bits * 256 + byte;
  return Math.floor((bits / 2 ** 48) * windowSeconds);
}

/** Equal parts of `total`, each at most `cap`; same sign, summing to it. Refuses more than 10,000. */
export function chunksWithin(total: number, cap: number): number[] {
  if (!(cap > 0) || !Number.isFinite(total)) {
    throw new InvalidInput(`a finite total and a cap above 0 are needed, got ${total} and ${cap}`);
  }
  const count = Math.max(1, Math.ceil(Math.abs(total) / cap));
  if (count > CHUNKS_MAX) {
    throw new InvalidInput(`${count} chunks are more than ${CHUNKS_MAX}: raise the cap ${cap}`);
  }
  const part = total / count;
  const chunks = new Array<number>(count).fill(part);
  chunks[count - 1] = total - part * (count - 1);
  return chunks;
}

/** Dollars taken from one venue in one direction. */
export interface Flow {
  readonly at: UnixSeconds;
  readonly usd: number;
}

export interface FlowCap {
  readonly windowSeconds: number;
  /** Dollars all policies of this keeper may take together within the window. */
  readonly capUsd: number;
}

/** What may still be taken now, dollars ≥ 0; flow leaves the window as it ages past it. */
export function flowLeft(cap: FlowCap, past: readonly Flow[], now: UnixSeconds): number {
  const used = past.reduce(
    (sum, { at, usd }) => (at > now - cap.windowSeconds && at <= now ? sum + usd : sum),
    0,
  );
  return Math.max(0, cap.capUsd - used);
}

/** Share of a pool's depth that flow F may take so that its price moves by at most `bps`. */
export function capForImpact(depthUsd: number, bps: number): number {
  assert(depthUsd >= 0 && bps >= 0, `depth ${depthUsd}, bps ${bps}`);
  // Constant product: adding a fraction x to the reserve moves the price by (1 + x)² − 1.
  return depthUsd * (Math.sqrt(1 + bps / 1e4) - 1);
}
