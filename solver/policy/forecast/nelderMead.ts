// Minimises a function of a few variables without derivatives (Nelder & Mead, A Simplex Method for
// Function Minimization, 1965), started anew from where it ended until that helps no more: the
// known cure for simplices that collapse early. The same input gives the same answer.

import { at } from '../risk/linear.ts';

const STEPS_MAX = 500;
const RESTARTS_MAX = 5;
const SPREAD = 1e-12;

interface Corner {
  readonly x: Float64Array;
  readonly value: number;
}

/** The best point found; `f` may answer Infinity, never NaN. `size`: edge of the first simplex. */
export function nelderMead(
  f: (x: Float64Array) => number,
  start: Float64Array,
  size: number,
): Corner {
  let best: Corner = { x: start, value: f(start) };
  for (let round = 0; round < RESTARTS_MAX; round++) {
    const next = descend(f, best, round === 0 ? size : size / 4);
    const gain = best.value - next.value;
    best = next;
    if (gain <= 1e-10 * (1 + Math.abs(best.value))) break;
  }
  return best;
}

function descend(f: (x: Float64Array) => number, start: Corner, size: number): Corner {
  const n = start.x.length;
  const corner = (x: Float64Array): Corner => ({ x, value: f(x) });
  let simplex = [
    start,
    ...Array.from({ length: n }, (_, i) => corner(start.x.map((v, k) => (k === i ? v + size : v)))),
  ];
  const order = () => {
    simplex = simplex.toSorted((a, b) => a.value - b.value);
  };
  order();
  for (let step = 0; step < STEPS_MAX; step++) {
    const [best, worst, second] = [simplex.at(0), simplex.at(-1), simplex.at(-2)];
    if (best === undefined || worst === undefined || second === undefined) return start;
    if (worst.value - best.value <= SPREAD * (1 + Math.abs(best.value)) && narrow(simplex)) break;
    const centre = best.x.map(
      (_, k) => simplex.slice(0, -1).reduce((sum, { x }) => sum + at(x, k), 0) / n,
    );
    const along = (t: number) => corner(centre.map((c, k) => c + t * (at(worst.x, k) - c)));
    const reflected = along(-1);
    if (reflected.value < best.value) {
      const expanded = along(-2);
      simplex[n] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < second.value) {
      simplex[n] = reflected;
    } else {
      const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      if (contracted.value < Math.min(worst.value, reflected.value)) simplex[n] = contracted;
      else {
        const shrink = ({ x }: Corner) => corner(x.map((v, k) => (v + at(best.x, k)) / 2));
        simplex = [best, ...simplex.slice(1).map(shrink)];
      }
    }
    order();
  }
  return simplex[0] ?? start;
}

/** Flat in value is not enough: the corners must also stand close together. */
function narrow(simplex: readonly Corner[]): boolean {
  const [best] = simplex;
  return simplex.every(({ x }) =>
    x.every((v, k) => Math.abs(v - (best?.x[k] ?? 0)) <= 1e-6 * (1 + Math.abs(v))),
  );
}
