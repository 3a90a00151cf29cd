// The price of a tick exactly as Uniswap v3's TickMath gives it: √(1.0001^tick) in Q64.96, rounded
// up from Q128.128 as the contract does. The inverse is not needed: swaps walk known ticks.

import { MAX_UINT256 } from '../../types/amounts.ts';
import { Defect } from '../../types/assert.ts';

export const MIN_TICK = -887272;
export const MAX_TICK = 887272;
/** sqrtRatioAtTick(MIN_TICK). */
export const MIN_SQRT_RATIO = 4295128739n;
/** sqrtRatioAtTick(MAX_TICK); a pool's price stays strictly below it. */
export const MAX_SQRT_RATIO = 1461446703485210103287273052203988822378723970342n;

// Bit k of |tick| multiplies by 1.0001^(−2^k / 2) in Q128.128, k = 0 … 19 (Uniswap v3 TickMath).
const FACTORS = [
  0xfffcb933bd6fad37aa2d162d1a594001n,
  0xfff97272373d413259a46990580e213an,
  0xfff2e50f5f656932ef12357cf3c7fdccn,
  0xffe5caca7e10e4e61c3624eaa0941cd0n,
  0xffcb9843d60f6159c9db58835c926644n,
  0xff973b41fa98c081472e6896dfb254c0n,
  0xff2ea16466c96a3843ec78b326b52861n,
  0xfe5dee046a99a2a811c461f1969c3053n,
  0xfcbe86c7900a88aedcffc83b479aa3a4n,
  0xf987a7253ac413176f2b074cf7815e54n,
  0xf3392b0822b70005940c7a398e4b70f3n,
  0xe7159475a2c29b7443b29c7fa6e889d9n,
  0xd097f3bdfd2022b8845ad8f792aa5825n,
  0xa9f746462d870fdf8a65dc1f90e061e5n,
  0x70d869a156d2a1b890bb3df62baf32f7n,
  0x31be135f97d08fd981231505542fcfa6n,
  0x9aa508b5b7a84e1c677de54f3e99bc9n,
  0x5d6af8dedb81196699c329225ee604n,
  0x2216e584f5fa1ea926041bedfe98n,
  0x48a170391f7dc42444e8fa2n,
] as const;

/** Walks meet the same ticks again and again (a pool's own and the ends of its words): 20 products each. */
const KEPT = 1 << 13;
/** The last tick met of those with the same low bits, and its ratio: a fixed size, whatever is asked. */
const keptTicks = new Int32Array(KEPT).fill(MAX_TICK + 1);
const keptRatios: bigint[] = new Array<bigint>(KEPT).fill(0n);

/** √(1.0001^tick) · 2^96, equal to TickMath.getSqrtRatioAtTick. Ticks −887272 … 887272. */
export function sqrtRatioAtTick(tick: number): bigint {
  if (!Number.isInteger(tick) || Math.abs(tick) > MAX_TICK) throw new Defect(`tick ${tick}`);
  const place = tick & (KEPT - 1);
  if (keptTicks[place] === tick) return keptRatios[place] as bigint;
  const ratio = ratioAt(tick);
  keptTicks[place] = tick;
  keptRatios[place] = ratio;
  return ratio;
}

function ratioAt(tick: number): bigint {
  const magnitude = Math.abs(tick);
  let ratio = 1n << 128n;
  for (let bit = 0; bit < FACTORS.length; bit++) {
    if ((magnitude >> bit) & 1) ratio = (ratio * (FACTORS[bit] as bigint)) >> 128n;
  }
  if (tick > 0) ratio = MAX_UINT256 / ratio;
  return (ratio + 0xffffffffn) >> 32n;
}
