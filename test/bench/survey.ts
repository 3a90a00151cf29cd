// How often the certified gap is above 0.01 bp, over far more problems than are timed: order sizes
// 1e-9 … 100 times the depth, small markets, engines' times ignored.

import { readFileSync } from 'node:fs';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createCore } from '../../solver/engine/engine.ts';
import type { Kind, Size } from './network.ts';
import { type OrderRange, swapProblem } from './problems.ts';
import { admit } from './support.ts';
import { WASM } from './wasm.ts';

export interface Survey {
  readonly name: string;
  readonly solved: number;
  readonly misses: number;
  /** Bps. */
  readonly worst: number;
  /** Problems the engine could not route, by status. */
  readonly others: Readonly<Record<string, number>>;
}

export const GAP_BPS = 0.01;
const RANGE: OrderRange = [-9, 2];
const SIZES: readonly Size[] = [
  { pools: 10, tokens: 5 },
  { pools: 40, tokens: 12 },
  { pools: 100, tokens: 20 },
];
/** Beyond the timed seeds. */
const FIRST_SEED = 1_000_000;

export function survey(kind: Kind, count: number): Survey {
  const core = createCore(readFileSync(WASM));
  const others: Record<string, number> = {};
  let [solved, misses, worst] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const size = SIZES[k % SIZES.length] ?? { pools: 10, tokens: 5 };
    const admitted = admit(core, swapProblem(FIRST_SEED + k, kind, size, RANGE));
    if ('refused' in admitted) continue;
    const solution = core.solve(admitted.problem);
    if (solution.status !== 'solved' && solution.status !== 'limit') {
      others[solution.status] = (others[solution.status] ?? 0) + 1;
      continue;
    }
    const gap = Number(evaluate(admitted.problem, solution, core.hash).gapBps);
    solved++;
    worst = Math.max(worst, gap);
    if (gap > GAP_BPS) misses++;
  }
  return { name: kind, solved, misses, worst, others };
}
