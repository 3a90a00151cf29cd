// How far pairs are from the best that any rule could do in the model itself: two risky assets and cash,
// displacement a Brownian motion of covariance D S D′, cost ½κe′Se and ε of each unit traded. On a grid
// whose lines are the three pairs' directions this is a Markov chain with impulses; Howard's policy
// iteration (Kushner, Dupuis 2001) finds the optimal no-trade region and its average cost exactly, and
// evaluates the pair rule on the very same chain.

export interface Optimum {
  /** Average cost a year g, TE, and cost × TE, which widening all bands alike does not change. */
  readonly pairs: Evaluation;
  readonly best: Evaluation;
  readonly rounds: number;
}
interface Evaluation {
  readonly average: number;
  readonly te: number;
  readonly product: number;
}

/** Steps along the grid: sell or buy the first, the second, or one for the other. */
const MOVES = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, -1],
  [-1, 1],
] as const;
const ROUNDS_MAX = 60;
/** Improvements below this share of ε·step are rounding. */
const ROUNDING = 1e-9;

/** `half` grid steps from the target to the rim; S is 2 × 2, its assets negatively correlated in e. */
export function optimum(
  targets: readonly [number, number],
  [s11, s12, s22]: readonly [number, number, number],
  aversion: number,
  proportional: number,
  half: number,
): Optimum {
  const n = 2 * half + 1;
  const size = n * n;
  const [a, b] = targets;
  const d = [a - a * a, -a * b, b - b * b] as const;
  const ds = [
    [d[0] * s11 + d[1] * s12, d[0] * s12 + d[1] * s22],
    [d[1] * s11 + d[2] * s12, d[1] * s12 + d[2] * s22],
  ] as const;
  const c11 = ds[0][0] * d[0] + ds[0][1] * d[1];
  const c12 = ds[0][0] * d[1] + ds[0][1] * d[2];
  const c22 = ds[1][0] * d[1] + ds[1][1] * d[2];
  const spanOf = (v: readonly [number, number]) => {
    const u = [s11 * v[0] + s12 * v[1], s12 * v[0] + s22 * v[1]] as const;
    const variance = v[0] * u[0] + v[1] * u[1];
    const spread = (u[0] * u[0] * c11 + 2 * u[0] * u[1] * c12 + u[1] * u[1] * c22) / variance ** 2;
    return { u, variance, h: Math.cbrt((1.5 * proportional * spread) / (aversion * variance)) };
  };
  const spans = [spanOf([1, 0]), spanOf([0, 1]), spanOf([1, -1])];
  const dx = (2.4 * Math.max(...spans.map(({ h }) => h))) / half;
  const cross = Math.abs(c12);
  if (!(c12 < 0 && c11 > cross && c22 > cross)) throw new Error('another stencil is needed');
  const rates = [c11 - cross, c11 - cross, c22 - cross, c22 - cross, cross, cross];
  const total = rates.reduce((x, y) => x + y, 0);
  const chances = rates.map((rate) => rate / total);
  const dt = (2 * dx * dx) / total;
  const place = (k: number) => [Math.floor(k / n) - half, (k % n) - half] as const;
  const running = Float64Array.from({ length: size }, (_, k) => {
    const [i, j] = place(k);
    const [x, y] = [i * dx, j * dx];
    return 0.5 * aversion * (s11 * x * x + 2 * s12 * x * y + s22 * y * y) * dt;
  });
  const to = (k: number, m: number): number => {
    const [i, j] = place(k);
    const [di, dj] = MOVES[m] as readonly [number, number];
    const [p, q] = [i + di + half, j + dj + half];
    return p >= 0 && p < n && q >= 0 && q < n ? p * n + q : -1;
  };
  const moves = Array.from({ length: size }, (_, k) => MOVES.map((_m, m) => to(k, m)));
  const centre = half * n + half;
  /** 0 waits, m + 1 makes move m. */
  const start = Int8Array.from({ length: size }, (_, k) => {
    const [i, j] = place(k);
    let [best, action] = [1, 0];
    spans.forEach(({ u, variance, h }, pair) => {
      const ratio = ((u[0] * i + u[1] * j) * dx) / variance / h;
      if (Math.abs(ratio) > best)
        [best, action] = [Math.abs(ratio), 2 * pair + (ratio > 0 ? 2 : 1)];
    });
    const rim = Math.abs(i) === half || Math.abs(j) === half;
    if ((action === 0 && rim) || (action > 0 && to(k, action - 1) < 0)) {
      return i === -half ? 1 : i === half ? 2 : j === -half ? 3 : 4;
    }
    return action;
  });
  const fee = proportional * dx;

  const evaluate = (policy: Int8Array) => {
    const band = createBand(size, n);
    const costs = new Float64Array(size);
    const risks = new Float64Array(size);
    const times = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      band.set(k, k, 1);
      if (k === centre) continue;
      const action = policy[k] as number;
      if (action > 0) {
        band.set(k, moves[k]?.[action - 1] as number, -1);
        costs[k] = fee;
        continue;
      }
      chances.forEach((chance, m) => {
        band.set(k, moves[k]?.[m] as number, -chance);
      });
      costs[k] = running[k] as number;
      risks[k] = running[k] as number;
      times[k] = dt;
    }
    band.factor();
    for (const right of [costs, risks, times]) band.solve(right);
    // The centre waits, at no running cost: its own equation gives the average.
    const drift = (values: Float64Array) =>
      chances.reduce(
        (sum, chance, m) => sum + chance * (values[moves[centre]?.[m] as number] as number),
        0,
      );
    const average = drift(costs) / (dt + drift(times));
    const risk = drift(risks) / (dt + drift(times));
    const value = costs.map((cost, k) => cost - average * (times[k] as number));
    const te = Math.sqrt((2 * risk) / aversion);
    return { value, average, te, product: (average - risk) * te };
  };
  let policy = start;
  let found = evaluate(policy);
  const pairs = found;
  let rounds = 0;
  for (; rounds < ROUNDS_MAX; rounds++) {
    const { value, average } = found;
    let changed = 0;
    const next = policy.slice();
    for (let k = 0; k < size; k++) {
      if (k === centre) continue;
      const targetsOf = moves[k] as readonly number[];
      const costOf = (action: number): number => {
        if (action > 0) {
          const at = targetsOf[action - 1] as number;
          return at < 0 ? Infinity : fee + (value[at] as number);
        }
        if (targetsOf.some((at) => at < 0)) return Infinity;
        return chances.reduce(
          (sum, chance, m) => sum + chance * (value[targetsOf[m] as number] as number),
          (running[k] as number) - average * dt,
        );
      };
      let best = costOf(policy[k] as number) - ROUNDING * fee;
      for (let action = 0; action <= MOVES.length; action++) {
        const cost = costOf(action);
        if (cost >= best) continue;
        best = cost;
        next[k] = action;
      }
      if (next[k] !== policy[k]) changed++;
    }
    if (changed === 0) break;
    const before = found.average;
    policy = next;
    found = evaluate(policy);
    if (!(found.average < before * (1 - 1e-9))) break;
  }
  return { pairs, best: found, rounds };
}

/** A banded matrix, factored without pivoting: the chain's is an M-matrix. */
function createBand(size: number, width: number) {
  const stride = 2 * width + 1;
  const cells = new Float64Array(size * stride);
  const at = (row: number, column: number) => row * stride + column - row + width;
  return {
    set(row: number, column: number, value: number) {
      cells[at(row, column)] = value;
    },
    factor() {
      for (let k = 0; k < size; k++) {
        const pivot = cells[at(k, k)] as number;
        const last = Math.min(size - 1, k + width);
        for (let row = k + 1; row <= last; row++) {
          const share = (cells[at(row, k)] as number) / pivot;
          if (share === 0) continue;
          cells[at(row, k)] = share;
          const [from, of] = [at(row, k), at(k, k)];
          for (let c = 1; c <= last - k; c++) {
            cells[from + c] = (cells[from + c] as number) - share * (cells[of + c] as number);
          }
        }
      }
    },
    solve(right: Float64Array) {
      for (let row = 0; row < size; row++) {
        let sum = right[row] as number;
        for (let c = Math.max(0, row - width); c < row; c++) {
          sum -= (cells[at(row, c)] as number) * (right[c] as number);
        }
        right[row] = sum;
      }
      for (let row = size - 1; row >= 0; row--) {
        let sum = right[row] as number;
        for (let c = Math.min(size - 1, row + width); c > row; c--) {
          sum -= (cells[at(row, c)] as number) * (right[c] as number);
        }
        right[row] = sum / (cells[at(row, row)] as number);
      }
    },
  };
}
