// Uniswap v3: constant liquidity L on ranges of price. Both directions are one curve when written in
// r = √(output per input): it falls from r to r′ while L(1/r′ − 1/r) goes in and L(r − r′) comes
// out. The best trade ends at r* = √(ν_in/(γ ν_out)); curvature there is ν_in L/(2γ r*).

import { allThereIs, type Curve, KINK, nothing } from './curve.ts';

/** Liquidity between r = near and r = far < near. */
export interface Stretch {
  readonly near: number;
  readonly far: number;
  readonly liquidity: number;
}

interface Summed extends Stretch {
  /** What the stretches before it take in (after the fee) and give. */
  readonly inBefore: number;
  readonly outBefore: number;
}

/** @param stretches from the current price on, falling, without overlap; gaps are allowed */
export function concentrated(stretches: readonly Stretch[], kept: number, cap: number): Curve {
  const summed: Summed[] = [];
  let [inBefore, outBefore] = [0, 0];
  for (const { near, far, liquidity } of stretches) {
    if (liquidity === 0) continue;
    summed.push({ near, far, liquidity, inBefore, outBefore });
    inBefore += (liquidity * (near - far)) / (near * far);
    outBefore += liquidity * (near - far);
  }
  const first = summed[0];
  const curve: Curve = {
    spot: first === undefined ? 0 : kept * first.near * first.near,
    depth: first === undefined ? 0 : first.liquidity / first.near,
    room: Math.min(cap, inBefore / kept),
    best(nuIn, nuOut, trade) {
      const wish = Math.sqrt(nuIn / (kept * nuOut));
      if (first === undefined || wish >= first.near * (1 + KINK)) return nothing(trade);
      const goal = Math.min(wish, first.near);
      const stretch = lastWhere(summed, ({ near }) => near >= goal);
      if (stretch === null) return nothing(trade);
      const { near, far, liquidity } = stretch;
      const end = Math.max(goal, far);
      const fall = liquidity * (near - end);
      trade.input = (stretch.inBefore + fall / (near * end)) / kept;
      trade.output = stretch.outBefore + fall;
      if (trade.input > cap) return allThereIs(curve, nuIn, nuOut, trade);
      trade.surplus = Math.max(0, nuOut * trade.output - nuIn * trade.input);
      trade.curvature = goal > far ? (nuIn * liquidity) / (2 * kept * goal) : 0;
    },
    out(input) {
      const taken = kept * input;
      const stretch = lastWhere(summed, (one) => one.inBefore <= taken);
      if (stretch === null) return 0;
      const { near, far, liquidity } = stretch;
      const move = ((taken - stretch.inBefore) / liquidity) * near;
      return (
        stretch.outBefore +
        Math.min((liquidity * near * move) / (1 + move), liquidity * (near - far))
      );
    },
  };
  return curve;
}

/** Binary search; `holds` is true for a first part of the list and false for the rest. */
function lastWhere(list: readonly Summed[], holds: (one: Summed) => boolean): Summed | null {
  let [low, high] = [-1, list.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (holds(list[middle] as Summed)) low = middle;
    else high = middle - 1;
  }
  return list[low] ?? null;
}
